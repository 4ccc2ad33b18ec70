'use strict';

const { name, run } = require('./session');

run(async (connection) => {
  const channel = await connection.createChannel();
  const { queue, messageCount, consumerCount } = await channel.assertQueue(name('hello'), { durable: false });
  channel.sendToQueue(queue, Buffer.from('Hello World!'), {
    contentType: 'text/plain',
    headers: { count: 3, ratio: 0.5, nested: { list: [1, 'two', true, null] } },
    messageId: 'm1',
    timestamp: 1767323045,
  });
  const message = await new Promise((resolve) => channel.consume(queue, resolve));
  channel.ack(message);
  const empty = await channel.get(queue);
  const { contentType, headers, messageId, timestamp } = message.properties;
  const { exchange, redelivered, routingKey } = message.fields;
  return {
    declared: { messageCount, consumerCount },
    text: message.content.toString(),
    properties: { contentType, headers, messageId, timestamp },
    fields: { exchange, redelivered, isQueue: routingKey === queue },
    empty,
  };
});

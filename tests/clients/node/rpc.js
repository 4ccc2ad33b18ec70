'use strict';

const { name, run } = require('./session');

async function serve(connection, queue) {
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: false });
  await channel.prefetch(1);
  await channel.consume(queue, (message) => {
    const { correlationId, replyTo } = message.properties;
    const answer = Number(message.content) ** 2;
    channel.sendToQueue(replyTo, Buffer.from(String(answer)), { correlationId });
    channel.ack(message);
  });
}

// Calls with so many numbers over one reply queue; resolves with the answers by correlation id.
async function call(channel, requests, replyTo, numbers) {
  const answers = {};
  return new Promise((resolve, reject) => {
    const onReply = (message) => {
      answers[message.properties.correlationId] = Number(message.content);
      if (Object.keys(answers).length === numbers.length) resolve(answers);
    };
    channel
      .consume(replyTo, onReply, { noAck: true })
      .then(() => {
        for (const number of numbers) {
          channel.sendToQueue(requests, Buffer.from(String(number)), { replyTo, correlationId: `call ${number}` });
        }
      })
      .catch(reject);
  });
}

run(async (connection) => {
  const requests = name('requests');
  await serve(connection, requests);
  const one = await connection.createChannel();
  const { queue } = await one.assertQueue('', { exclusive: true });
  const two = await connection.createChannel();
  return {
    ownQueue: await call(one, requests, queue, [3, 4]),
    directReplyTo: await call(two, requests, 'amq.rabbitmq.reply-to', [5, 6]),
  };
});

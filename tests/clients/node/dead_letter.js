'use strict';

const { name, receive, run } = require('./session');

run(async (connection) => {
  const channel = await connection.createChannel();
  const { exchange } = await channel.assertExchange(name('dlx'), 'topic');
  const { queue: graveyard } = await channel.assertQueue(name('graveyard'));
  await channel.bindQueue(graveyard, exchange, '#');
  const rejecting = name('rejecting');
  const expiring = name('expiring');
  await channel.assertQueue(rejecting, { deadLetterExchange: exchange, deadLetterRoutingKey: 'dead' });
  await channel.assertQueue(expiring, { deadLetterExchange: exchange, messageTtl: 20 });

  channel.sendToQueue(rejecting, Buffer.from('rejected'));
  await new Promise((resolve) => {
    channel.consume(rejecting, (message) => {
      channel.nack(message, false, false);
      resolve();
    });
  });
  const [rejected] = await receive(channel, graveyard, 1);
  channel.sendToQueue(expiring, Buffer.from('expired'));
  const [expired] = await receive(channel, graveyard, 1);
  return [rejected, expired].map((message) => {
    const [{ count, reason, queue, time }] = message.properties.headers['x-death'];
    return {
      text: message.content.toString(),
      key: message.fields.routingKey.replace(name(''), ''),
      death: { count, reason, queue: queue.replace(name(''), ''), time: time['!'] },
    };
  });
});

'use strict';

const { name, receive, run, texts } = require('./session');

run(async (connection) => {
  const channel = await connection.createChannel();
  const { exchange } = await channel.assertExchange(name('logs'), 'fanout', { durable: false });
  const queues = [];
  for (let number = 0; number < 3; number += 1) {
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, '');
    queues.push(queue);
  }
  channel.publish(exchange, 'ignored', Buffer.from('news'));
  return Promise.all(queues.map(async (queue) => texts(await receive(channel, queue, 1))));
});

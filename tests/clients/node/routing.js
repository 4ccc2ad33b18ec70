// Binds one queue per pattern to an exchange of each type and tells what each queue got.
'use strict';

const { name, receive, run, texts } = require('./session');

const KEYS = ['error', 'info', 'kern.critical', 'cron.critical', 'kern.info', 'a.b.critical'];

async function routed(channel, type, patterns) {
  const { exchange } = await channel.assertExchange(name(type), type, { durable: false });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  for (const pattern of patterns) await channel.bindQueue(queue, exchange, pattern);
  for (const key of KEYS) channel.publish(exchange, key, Buffer.from(key));
  channel.sendToQueue(queue, Buffer.from('end'));
  const got = [];
  while (got.at(-1) !== 'end') got.push(...texts(await receive(channel, queue, 1)));
  return got;
}

run(async (connection) => {
  const channel = await connection.createChannel();
  await channel.prefetch(1);
  return {
    direct: await routed(channel, 'direct', ['error', 'kern.info']),
    topic: await routed(channel, 'topic', ['kern.*', '*.*.critical']),
  };
});

// A fault closes its channel alone; deleting a queue cancels its consumer with a null message.
'use strict';

const { name, run } = require('./session');

run(async (connection) => {
  const failing = await connection.createChannel();
  const error = await new Promise((resolve) => {
    failing.on('error', resolve);
    failing.checkQueue(name('missing')).catch(() => {});
  });
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue(name('cancelled'));
  const cancelled = new Promise((resolve) => channel.consume(queue, resolve));
  await channel.deleteQueue(queue);
  return { code: error.code, message: error.message, cancelled: await cancelled };
});

'use strict';

const { name, run } = require('./session');

run(async (connection) => {
  const queue = name('tasks');
  const done = { first: [], second: [] };
  let finish;
  const finished = new Promise((resolve) => {
    finish = resolve;
  });
  const publisher = await connection.createConfirmChannel();
  await publisher.assertQueue(queue, { durable: true });
  for (const worker of ['first', 'second']) {
    const channel = await connection.createChannel();
    await channel.prefetch(1);
    await channel.consume(queue, (message) => {
      // The very first task is given back once: it must come again, marked as redelivered.
      if (message.content.toString() === '0' && !message.fields.redelivered) {
        channel.nack(message, false, true);
        return;
      }
      done[worker].push(Number(message.content));
      channel.ack(message);
      if (done.first.length + done.second.length === 20) finish();
    });
  }
  for (let number = 0; number < 20; number += 1) {
    publisher.sendToQueue(queue, Buffer.from(String(number)), { persistent: true });
  }
  await publisher.waitForConfirms();
  await finished;
  return done;
});

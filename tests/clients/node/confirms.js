// Confirms, a refusal by a full queue, and a return that comes before its confirm.
'use strict';

const { name, run } = require('./session');

run(async (connection) => {
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue(name('confirmed'));
  const confirmed = [];
  for (let number = 0; number < 100; number += 1) {
    channel.sendToQueue(queue, Buffer.from('kept'), { persistent: true }, (error) => confirmed.push(error));
  }
  await channel.waitForConfirms();
  const { messageCount } = await channel.checkQueue(queue);

  const full = name('full');
  await channel.assertQueue(full, { maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
  channel.sendToQueue(full, Buffer.from('fits'));
  await channel.waitForConfirms();
  const refusal = await new Promise((resolve) => channel.sendToQueue(full, Buffer.from('does not'), {}, resolve));

  const events = [];
  channel.on('return', (message) => {
    const { replyCode, replyText } = message.fields;
    events.push({ replyCode, replyText, text: message.content.toString() });
  });
  await new Promise((resolve) => {
    channel.publish('', name('nowhere'), Buffer.from('lost'), { mandatory: true }, (error) => {
      events.push({ confirmed: error === null });
      resolve();
    });
  });
  return {
    failures: confirmed.filter((error) => error !== null).length,
    confirmed: confirmed.length,
    messageCount,
    refused: refusal instanceof Error,
    events,
  };
});

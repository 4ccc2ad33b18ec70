// amqplib's own recovery: the test restarts the broker when it is asked to, the setup runs again, consuming goes on.
'use strict';

const { amqplib, ask, name, url } = require('./session');

async function main() {
  const inbox = [];
  let arrived = () => {};
  const setup = async (connection) => {
    const channel = await connection.createChannel();
    await channel.assertQueue(name('work'), { durable: true });
    await channel.consume(name('work'), (message) => {
      if (message === null) return;
      channel.ack(message);
      inbox.push(message.content.toString());
      arrived();
    });
  };
  const connection = await amqplib.connect(url, { recovery: { initialDelay: 20, maxDelay: 100, setup } });
  // A socket that ends without a word is an error as well as a close; unheard, Node.js would end the process.
  connection.on('error', () => {});
  const lost = new Promise((resolve) => connection.once('disconnect', resolve));

  async function send(text) {
    const delivered = new Promise((resolve) => {
      arrived = resolve;
    });
    const channel = await connection.createConfirmChannel();
    channel.sendToQueue(name('work'), Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();
    await delivered;
    await channel.close();
  }

  await send('before');
  const back = new Promise((resolve) => connection.once('connect', resolve));
  await ask('restart');
  const reason = await lost;
  await back;
  await send('after');
  await connection.close();
  console.log(JSON.stringify({ inbox, reason: String(reason?.message ?? reason) }));
}

main();

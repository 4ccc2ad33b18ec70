// What every script needs: the arguments, a connection, and one JSON line as its result.
//
//     node <script>.js AMQP_URL NAME_PREFIX
'use strict';

const amqplib = require('amqplib');
const readline = require('node:readline');

const [url, prefix] = process.argv.slice(2);
const PATIENCE_MS = 10000;

function name(purpose) {
  return `${prefix}.${purpose}`;
}

// Runs a scenario, which gets a connection and returns the result to print.
async function run(scenario) {
  const deadline = setTimeout(() => {
    console.error(`the script did not end in ${PATIENCE_MS} ms`);
    process.exit(1);
  }, 2 * PATIENCE_MS);
  const connection = await amqplib.connect(url);
  const result = await scenario(connection);
  await connection.close();
  clearTimeout(deadline);
  console.log(JSON.stringify(result));
}

// Consumes `count` messages with acknowledgement; returns them.
function receive(channel, queue, count) {
  return new Promise((resolve, reject) => {
    const messages = [];
    const onMessage = async (message) => {
      if (message === null) {
        reject(new Error(`the consumer of ${queue} was cancelled`));
        return;
      }
      channel.ack(message);
      messages.push(message);
      if (messages.length === count) {
        await channel.cancel(message.fields.consumerTag);
        resolve(messages);
      }
    };
    channel.consume(queue, onMessage).catch(reject);
  });
}

function texts(messages) {
  return messages.map((message) => message.content.toString());
}

// Asks the test for something: prints a line, resolves with the line that comes back.
function ask(line) {
  return new Promise((resolve) => {
    const input = readline.createInterface({ input: process.stdin });
    input.once('line', (answer) => {
      input.close();
      resolve(answer);
    });
    console.log(line);
  });
}

module.exports = { amqplib, ask, name, receive, run, texts, url };

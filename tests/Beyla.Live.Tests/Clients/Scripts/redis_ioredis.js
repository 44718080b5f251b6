// redis_ioredis.js PORT: does a step of ioredis for each line that it reads, and writes "done" after each.
'use strict';
const readline = require('readline');
const Redis = require('ioredis');

const port = Number(process.argv[2]);
let client;

const steps = {
  async connect() {
    client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: null });
    await client.connect();
  },
  async set(count) { // asked for at once: each is written without waiting for the one before
    await Promise.all(Array.from({ length: count }, (_, i) => client.set(`key:${i}`, `value ${i}`)));
  },
  async get(count) {
    for (let i = 0; i < count; i++) if (await client.get(`key:${i}`) !== `value ${i}`) throw new Error('wrong value');
  },
  async pipeline(count) { // one write
    const pipeline = client.pipeline();
    for (let i = 0; i < count; i++) pipeline.hset('hash', `field:${i}`, i);
    console.log((await pipeline.exec()).length);
  },
  async transaction() {
    console.log((await client.multi().incr('counter').incr('counter').get('counter').exec())[2][1]);
  },
  async errors() {
    await client.set('text', 'no number');
    await client.incr('text').catch(error => console.log(error.message.split(' ')[0]));
    await client.lpush('text', 1).catch(error => console.log(error.message.split(' ')[0]));
    await client.call('nosuchcommand').catch(error => console.log(error.message.split(' ')[0]));
  },
  async large(length) {
    await client.set('large', 'l'.repeat(length));
    console.log((await client.get('large')).length);
  },
};

(async () => {
  console.log('done');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [name, argument] = line.split(' ');
    await steps[name](Number(argument));
    console.log('done');
  }
  if (client) await client.quit();
})();

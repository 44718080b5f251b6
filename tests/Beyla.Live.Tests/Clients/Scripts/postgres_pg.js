// postgres_pg.js PORT: does a step of node's package pg for each line that it reads, and writes "done" after each.
'use strict';
const readline = require('readline');
const { Client } = require('pg');

const port = Number(process.argv[2]);
let client;

async function attempt(text, values) {
  try {
    await client.query(text, values);
    console.log('no error');
  } catch (error) {
    console.log(error.code);
  }
}

const steps = {
  async connect() {
    client = new Client({ host: '127.0.0.1', port, database: 'shop', user: 'postgres', ssl: false });
    await client.connect();
  },
  async select(count) { // the simple protocol
    for (let i = 0; i < count; i++) await client.query(`SELECT name FROM item WHERE id = ${i % 100 + 1}`);
  },
  async extended(count) { // an unnamed statement: Parse, Bind, Describe, Execute, Sync
    for (let i = 0; i < count; i++) {
      const { rows } = await client.query('SELECT price FROM item WHERE id = $1', [i % 100 + 1]);
      if (rows[0].price !== (i % 100 + 1) * 10) throw new Error('wrong row');
    }
  },
  async prepared(count) { // a named one: Parse once
    for (let i = 0; i < count; i++) {
      await client.query({ name: 'by-id', text: 'SELECT name FROM item WHERE id = $1', values: [i % 100 + 1] });
    }
  },
  async queued(count) { // asked for at once; pg sends each when the one before is done
    await Promise.all(Array.from({ length: count }, (_, i) => client.query('SELECT $1::int', [i])));
  },
  async errors() {
    await attempt('INSERT INTO item VALUES ($1, $2, $3)', [1, 'twice', 1]);
    await attempt('SELECT * FROM missing WHERE id = $1', [1]);
    await attempt('SELECT 1 / $1::int', [0]);
  },
  async large(rows) {
    const result = await client.query("SELECT repeat('x', 1000) AS x FROM generate_series(1, $1::int)", [rows]);
    console.log(result.rows.reduce((sum, row) => sum + row.x.length, 0));
  },
  async value(length) { // a parameter of so many bytes
    const result = await client.query('SELECT length($1::text) AS n', ['z'.repeat(length)]);
    console.log(result.rows[0].n);
  },
  async sleep(seconds) { await client.query('SELECT pg_sleep($1)', [seconds]); },
};

(async () => {
  console.log('done');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [name, argument] = line.split(' ');
    await steps[name](Number(argument));
    console.log('done');
  }
  if (client) await client.end();
})();

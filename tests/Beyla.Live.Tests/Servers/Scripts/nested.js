// nested.js PORT BACKEND [fetch]: nested.py for node, with an agent that keeps its connections (but with CLOSE=1). Bodies are posted by http,
// or by fetch.
'use strict';
const http = require('http');

function endpoint(text) {
  const [port, host] = text.split(':').reverse();
  return { host: host || '127.0.0.1', port: Number(port) };
}

const [here, backend] = [endpoint(process.argv[2]), endpoint(process.argv[3])];
const agent = new http.Agent({ keepAlive: process.env.CLOSE !== '1' });

function call(path, then) {
  http.get({ ...backend, path, agent }, response => {
    let body = '';
    response.on('data', part => { body += part; });
    response.on('end', () => then(body));
  });
}

async function post(path, body) {
  if (process.argv[4] === 'fetch') {
    const headers = process.env.CLOSE === '1' ? { connection: 'close' } : {};
    const response = await fetch(`http://${backend.host}:${backend.port}${path}`, { method: 'POST', body, headers });
    return Buffer.from(await response.arrayBuffer());
  }
  return new Promise((resolve, reject) => {
    const call = http.request({ ...backend, path, agent, method: 'POST', headers: { 'Content-Length': body.length } }, async response => {
      resolve(Buffer.concat(await response.toArray()));
    });
    call.on('error', reject);
    call.end(body);
  });
}

async function relay(request, response) {
  const body = await post(`/out/${request.url.split('/').pop()}`, Buffer.concat(await request.toArray()));
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

http.createServer((request, response) => {
  if (request.method === 'POST') {
    relay(request, response);
    return;
  }
  const [path, mode] = request.url.split('?');
  const number = path.split('/').pop();
  const answer = body => {
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  };
  const end = body => (mode === 'after' ? setTimeout(answer, Number(number) % 7, body) : answer(body));
  if (mode === 'before') setTimeout(call, Number(number) % 7, `/out/${number}`, end);
  else if (mode === 'two') call(`/out/${number}/1`, () => call(`/out/${number}/2`, end));
  else call(`/out/${number}`, end);
}).listen({ ...here, backlog: 512 });

'use strict';
// An OTLP receiver that shares no code with the agent: OpenTelemetry's own decoders (protobufjs), node's HTTP server and gRPC's server for node.
// It writes one JSON line for each request; what it answers is set from outside: see OtlpReceiver.cs, the only one that starts it.
//
// node receiver.js '{"http":PORT,"grpc":PORT,"control":PORT,"paths":{"/":"traces"},"tls":{"ca":FILE,"cert":FILE,"key":FILE}}'
const crypto = require('crypto'), fs = require('fs'), http = require('http'), http2 = require('http2'), https = require('https');
const zlib = require('zlib');

// Of a handshake that fails there is no request: standard error says why.
function refused(error) {
    console.error(`handshake: ${error.code}`);
}

// gRPC's server tells a handler neither the headers that it uses itself nor the bytes of the connection: both are noted before it sees them.
const streams = new Map();
for (const create of ['createServer', 'createSecureServer']) {
    const original = http2[create];
    http2[create] = (...values) => original(...values).on('tlsClientError', refused).on('stream', (stream, headers) => {
        const key = String(streams.size);
        streams.set(key, { stream, headers: { ...headers } });
        headers['x-receiver-stream'] = key;
    });
}

const grpc = require('@grpc/grpc-js');
const proto = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry.proto.collector;
const signals = {
    traces: { service: 'Trace', request: proto.trace.v1.ExportTraceServiceRequest, response: proto.trace.v1.ExportTraceServiceResponse,
        rejected: 'rejectedSpans' },
    metrics: { service: 'Metrics', request: proto.metrics.v1.ExportMetricsServiceRequest,
        response: proto.metrics.v1.ExportMetricsServiceResponse, rejected: 'rejectedDataPoints' },
};
const settings = JSON.parse(process.argv[2]);
const tls = settings.tls && {
    ca: fs.readFileSync(settings.tls.ca), cert: fs.readFileSync(settings.tls.cert), key: fs.readFileSync(settings.tls.key),
};

// Each answer holds for `times` requests (1; below 0 for all that follow); then, and without any, a request is taken.
let answers = [];
function nextAnswer() {
    if (answers.length === 0) return {};
    const answer = answers[0];
    if (answer.times === undefined || answer.times > 0) answer.times = (answer.times ?? 1) - 1;
    if (answer.times === 0) answers.shift();
    return answer;
}

// Ids and other bytes as hexadecimal digits, the rest as in the JSON form of OTLP.
function write(line) {
    console.log(JSON.stringify(line, function (key, value) {
        return this[key] instanceof Uint8Array ? Buffer.from(this[key]).toString('hex') : value;
    }));
}

function decode(signal, body, json) {
    if (json) return JSON.parse(body);
    return signal.request.toObject(signal.request.decode(body), { longs: String, enums: Number, json: true, bytes: Buffer });
}

function responseOf(signal, answer) {
    const message = answer.partial === undefined ? {} : {
        partialSuccess: { [signal.rejected]: answer.partial.rejected ?? 0, errorMessage: answer.partial.message ?? '' },
    };
    return { bytes: Buffer.from(signal.response.encode(signal.response.fromObject(message)).finish()), message };
}

// What is the same for both ways in.
function note(transport, path, name, headers, wire, body, json, answer, socket) {
    const line = {
        transport, path, signal: name, headers, size: wire.length, bodySize: body.length, at: Date.now(), answer,
        sha256: crypto.createHash('sha256').update(wire).digest('hex'), clientPort: socket?.remotePort,
        tls: socket?.getProtocol?.() ?? null, clientCertificate: socket?.getPeerCertificate?.()?.subject?.CN ?? null,
    };
    try {
        line.body = decode(signals[name], body, json);
    } catch (e) {
        line.error = String(e.message);
    }
    write(line);
    return line.error;
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds ?? 0));

async function overHttp(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const wire = Buffer.concat(chunks), type = request.headers['content-type'] ?? '', json = type.startsWith('application/json');
    const name = settings.paths?.[request.url] ?? /\/v1\/(traces|metrics)$/.exec(request.url)?.[1];
    const refusal = request.method !== 'POST' ? 405 : name === undefined ? 404 : json || type === 'application/x-protobuf' ? 0 : 415;
    if (refusal !== 0) {
        write({ transport: 'http', path: request.url, headers: request.headers, size: wire.length, at: Date.now(), error: `${refusal}` });
        response.writeHead(refusal).end();
        return;
    }
    const answer = nextAnswer(), signal = signals[name];
    let body = wire;
    try {
        if (request.headers['content-encoding'] === 'gzip') body = zlib.gunzipSync(wire);
    } catch {
        body = Buffer.from([0xff]); // Undecodable, as it is.
    }
    const error = note('http', request.url, name, request.headers, wire, body, json, { ...answer }, request.socket);
    await pause(answer.delay);
    if (answer.close) return request.socket.destroy();
    const status = answer.status ?? (error ? 400 : 200), { bytes, message } = responseOf(signal, answer);
    const ok = status === 200 ? (json ? JSON.stringify(message) : bytes) : answer.text ?? '';
    response.writeHead(status, { 'Content-Type': status === 200 ? type : 'text/plain', ...answer.headers });
    response.end(answer.huge ? Buffer.alloc(answer.huge) : ok);
}

function overGrpc(name) {
    const path = `/opentelemetry.proto.collector.${name}.v1.${signals[name].service}Service/Export`;
    const identity = value => value;
    const definition = { Export: { path: path.replace('traces', 'trace'), requestStream: false, responseStream: false,
        requestSerialize: identity, requestDeserialize: identity, responseSerialize: identity, responseDeserialize: identity } };
    return [definition, { Export: async (call, callback) => {
        const key = call.metadata.get('x-receiver-stream')[0], { stream, headers } = streams.get(key), answer = nextAnswer();
        streams.set(key, undefined);
        const error = note('grpc', headers[':path'], name, headers, call.request, call.request, false, { ...answer }, stream.session?.socket);
        await pause(answer.delay);
        if (answer.close) return stream.session?.destroy();
        const code = answer.status ?? (error ? grpc.status.INVALID_ARGUMENT : 0);
        if (code === 0) return callback(null, answer.huge ? Buffer.alloc(answer.huge) : responseOf(signals[name], answer).bytes);
        const metadata = new grpc.Metadata();
        for (const [key, value] of Object.entries(answer.headers ?? {})) {
            metadata.set(key, key.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
        }
        callback({ code, details: answer.text ?? '', metadata });
    } }];
}

async function control(request, response) {
    let text = '';
    for await (const chunk of request) text += chunk;
    answers = JSON.parse(text);
    response.end();
}

const handled = handler => (request, response) => handler(request, response).catch(e => console.error(e.message));
const web = tls ? https.createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, handled(overHttp))
    : http.createServer(handled(overHttp));
web.on('tlsClientError', refused);
const calls = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
for (const name of Object.keys(signals)) calls.addService(...overGrpc(name));
const credentials = tls
    ? grpc.ServerCredentials.createSsl(tls.ca, [{ cert_chain: tls.cert, private_key: tls.key }], true)
    : grpc.ServerCredentials.createInsecure();
web.listen(settings.http, '127.0.0.1', () => calls.bindAsync(`127.0.0.1:${settings.grpc}`, credentials, error => {
    if (error) throw error;
    http.createServer(handled(control)).listen(settings.control, '127.0.0.1', () => console.log('serving'));
}));

"""nested_query.py PORT POSTGRES REDIS: a thread for each HTTP connection, with connections of its own to both databases.

GET /in/ID asks Redis for the key in:ID and PostgreSQL for a column that it calls in_ID: names, which stay in a statement without literals.
"""
import http.server
import socket
import sys
import threading

sys.path.append("/usr/lib/python3/dist-packages")
import psycopg2  # noqa: E402

PORT, POSTGRES, REDIS = (int(argument) for argument in sys.argv[1:4])
own = threading.local()


def connections():
    if not hasattr(own, "redis"):
        own.postgres = psycopg2.connect(host="127.0.0.1", port=POSTGRES, dbname="shop", user="postgres", sslmode="disable")
        own.postgres.autocommit = True
        own.redis = socket.create_connection(("127.0.0.1", REDIS))
    return own.postgres, own.redis


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        number = self.path.rpartition("/")[2]
        postgres, redis = connections()
        key = b"in:" + number.encode()
        redis.sendall(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key))
        assert redis.recv(100) == b"$-1\r\n"
        with postgres.cursor() as cursor:
            cursor.execute(f"SELECT name AS in_{number} FROM item WHERE id = 1")
            body = cursor.fetchone()[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


Server(("127.0.0.1", PORT), Handler).serve_forever()

"""shop.py PORT POSTGRES REDIS: an HTTP server that asks PostgreSQL once and Redis twice for each request.

Each thread, which serves one HTTP connection, has connections of its own. GET /item/N: the name of an item, which Redis counts and keeps.
"""
import http.server
import sys
import threading

sys.path.append("/usr/lib/python3/dist-packages")
import psycopg2  # noqa: E402
import redis  # noqa: E402

PORT, POSTGRES, REDIS = (int(argument) for argument in sys.argv[1:4])
own = threading.local()


def connections():
    if not hasattr(own, "redis"):
        own.postgres = psycopg2.connect(host="127.0.0.1", port=POSTGRES, dbname="shop", user="postgres", sslmode="disable")
        own.postgres.autocommit = True
        own.redis = redis.Redis(host="127.0.0.1", port=REDIS, single_connection_client=True)
    return own.postgres, own.redis


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        number = self.path.rpartition("/")[2]
        postgres, cache = connections()
        cache.incr("visits")
        with postgres.cursor() as cursor:
            cursor.execute("SELECT name FROM item WHERE id = %s", (int(number),))
            body = cursor.fetchone()[0].encode()
        cache.set("item:" + number, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


Server(("127.0.0.1", PORT), Handler).serve_forever()

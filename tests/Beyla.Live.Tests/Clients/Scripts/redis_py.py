"""redis_py.py PORT: does a step of redis-py for each line that it reads, and writes "done" after each. One connection but for pub/sub."""
import sys
import threading
import time

sys.path.append("/usr/lib/python3/dist-packages")
import redis  # noqa: E402

PORT = int(sys.argv[1])
client = None


def attempt(*command):
    try:
        client.execute_command(*command)
        print("no error")
    except redis.RedisError as error:
        print(type(error).__name__)


def step(name, argument):
    global client
    if name == "connect":
        client = redis.Redis(host="127.0.0.1", port=PORT, single_connection_client=True)
        client.ping()
    elif name == "login":
        client = redis.Redis(host="127.0.0.1", port=PORT, username="alice", password=argument, single_connection_client=True)
        client.ping()
    elif name == "set":
        for i in range(int(argument)):
            client.set("key:%d" % i, "value %d" % i)
    elif name == "get":
        for i in range(int(argument)):
            assert client.get("key:%d" % i) == b"value %d" % i
    elif name == "pipeline":  # cut into sends of about 6000 bytes
        pipe = client.pipeline(transaction=False)
        for i in range(int(argument)):
            pipe.set("pipe:%d" % i, i)
        print(len(pipe.execute()))
    elif name == "transaction":
        pipe = client.pipeline(transaction=True)
        pipe.incr("counter").incr("counter").get("counter")
        print(pipe.execute()[-1].decode())
    elif name == "errors":
        client.set("text", "no number")
        attempt("INCR", "text")
        attempt("LPUSH", "text", "1")
        attempt("NOSUCHCOMMAND", "1")
        attempt("GET")
    elif name == "large":  # a value of so many bytes, there and back
        client.set("large", b"\r\n*3\r\n$3\r\nSET\r\n" * (int(argument) // 17))
        print(len(client.get("large")))
    elif name == "binary":  # keys and values that look like commands and responses, or are no text at all
        for value in b"*1\r\n$4\r\nPING\r\n", b"-ERR not an error\r\n", b"+OK\r\n", b"\x00\xff\xfe\r\n", b"", b"$-1\r\n", b"SET a b\r\n":
            client.set("binary", value)
            assert client.get("binary") == value
    elif name == "block":  # another connection pushes after so many seconds
        def push():
            time.sleep(float(argument))
            redis.Redis(host="127.0.0.1", port=PORT).rpush("queue", "work")
        threading.Thread(target=push).start()
        print(client.blpop("queue", timeout=20)[1].decode())
    elif name == "subscribe":  # a connection of its own, which gets as many messages as asked for
        listener = redis.Redis(host="127.0.0.1", port=PORT).pubsub()
        listener.subscribe("news")
        listener.get_message(timeout=10)
        for i in range(int(argument)):
            client.publish("news", "message %d" % i)
        print(sum(listener.get_message(timeout=10)["type"] == "message" for _ in range(int(argument))))
        listener.unsubscribe()
        listener.get_message(timeout=10)
        listener.close()
    elif name == "select":
        client.execute_command("SELECT", int(argument))
    else:
        raise ValueError(name)


print("done", flush=True)
for line in sys.stdin:
    step(*(line.strip() + " ").split(" ")[:2])
    print("done", flush=True)

"""postgres_psycopg2.py PORT: does a step of psycopg2 for each line that it reads, and writes "done" after each.

psycopg2 puts values into the text itself and sends simple queries. Without autocommit it sends BEGIN before the first one.
"""
import io
import sys
import threading

sys.path.append("/usr/lib/python3/dist-packages")
import psycopg2  # noqa: E402

PORT = int(sys.argv[1])
connection = None


def connect(user="postgres", password=None, autocommit=True):
    made = psycopg2.connect(host="127.0.0.1", port=PORT, dbname="shop", user=user, password=password, sslmode="disable")
    made.autocommit = autocommit
    return made


def attempt(text):
    """Runs a text that fails, and says its SQLSTATE."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(text)
        print("no error")
    except psycopg2.Error as error:
        print(error.pgcode)


def step(name, argument):
    global connection
    if name == "connect":
        connection = connect()
    elif name == "login":
        connection = connect("alice", argument)
    elif name == "select":
        with connection.cursor() as cursor:
            for i in range(int(argument)):
                cursor.execute("SELECT name FROM item WHERE id = %s", (i % 100 + 1,))
                assert cursor.fetchall() == [("item %d" % (i % 100 + 1),)]
    elif name == "prepared":
        with connection.cursor() as cursor:
            cursor.execute("PREPARE by_id(int) AS SELECT name FROM item WHERE id = $1")
            for i in range(int(argument)):
                cursor.execute("EXECUTE by_id(%s)", (i + 1,))
    elif name == "transaction":
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO item VALUES (1000, 'new', 1)")
            cursor.execute("UPDATE item SET price = price + 1 WHERE id = 1000")
            connection.commit()
            cursor.execute("DELETE FROM item WHERE id = 1000")
            connection.rollback()
            cursor.execute("DELETE FROM item WHERE id = 1000")
            connection.commit()
        connection.autocommit = True
    elif name == "errors":
        attempt("INSERT INTO item VALUES (1, 'twice', 1)")
        attempt("SELECT * FROM missing")
        attempt("SELEC 1")
        attempt("SELECT 1 / (5 - i) FROM generate_series(1, 10) i")
        attempt("SELECT repeat('x', 1000), 1 / (5000 - i) FROM generate_series(1, 10000) i")
    elif name == "several":
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1; SELECT name FROM item; SELECT 'three'")
    elif name == "copy-in":
        with connection.cursor() as cursor:
            text = "".join("%d\tname %d\n" % (i, i) for i in range(int(argument)))
            cursor.copy_expert("COPY copied FROM STDIN", io.StringIO(text))
            print(cursor.rowcount)
    elif name == "copy-out":
        with connection.cursor() as cursor:
            taken = io.StringIO()
            cursor.copy_expert("COPY copied TO STDOUT", taken)
            print(taken.getvalue().count("\n"))
    elif name == "cursor":  # DECLARE, and FETCH of 2000 rows each
        connection.autocommit = False
        with connection.cursor("walk") as cursor:
            cursor.execute("SELECT i FROM generate_series(1, 5000) i")
            print(len(cursor.fetchall()))
        connection.commit()
        connection.autocommit = True
    elif name == "large":  # bytes of a result of so many rows of 1000
        with connection.cursor() as cursor:
            cursor.execute("SELECT repeat('x', 1000) FROM generate_series(1, %s)", (int(argument),))
            print(sum(len(row[0]) for row in cursor.fetchall()))
    elif name == "value":  # one value of so many bytes
        with connection.cursor() as cursor:
            cursor.execute("SELECT repeat('y', %s)", (int(argument),))
            print(len(cursor.fetchone()[0]))
    elif name == "text":  # a text of at least so many bytes
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM item WHERE name IN (%s)" % ", ".join(["'item 1'"] * (int(argument) // 10)))
            print(cursor.fetchone()[0])
    elif name == "sleep":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", (float(argument),))
    elif name == "die":  # the server ends this connection in the middle of a query: FATAL, and no ReadyForQuery
        attempt("SELECT pg_terminate_backend(pg_backend_pid())")
        connection = connect()
    elif name == "many":  # so many connections at once, five queries on each, in turns
        connections = [connect() for _ in range(int(argument))]
        for i in range(5):
            for one in connections:
                with one.cursor() as cursor:
                    cursor.execute("SELECT %s", (i,))
        for one in connections:
            one.close()
    elif name == "notify":  # notices and notifications are responses to nothing
        with connection.cursor() as cursor:
            cursor.execute("LISTEN news")
            cursor.execute("NOTIFY news, 'first'")
            cursor.execute("DO $$ BEGIN RAISE NOTICE 'careful'; END $$")
            cursor.execute("SET application_name = 'another'")
            cursor.execute("SELECT 42")
    elif name == "cancel":  # by a connection of its own, on which nothing is answered
        threading.Timer(float(argument), connection.cancel).start()
        attempt("SELECT pg_sleep(20)")
    else:
        raise ValueError(name)


print("done", flush=True)
for line in sys.stdin:
    step(*(line.strip() + " ").split(" ")[:2])
    print("done", flush=True)

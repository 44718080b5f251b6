#!/usr/bin/env python3
"""Records docs/demo.svg: the agent on real requests, in a real terminal (a pty), run by an ordinary user. Run as root after
./build.sh build:

    sudo python3 tests/demo/record.py [FILE.svg]

The keys are pressed by this script; everything else in the picture is what the shell and the agent wrote, at the time when they wrote it.
"""
import fcntl
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.error
import urllib.request

from animation import Animation
from terminal import CONTROL, Terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "tests/demo"
# The system's own, so that the picture shows a path that every reader has.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
NOBODY = 65534
COLUMNS, ROWS = 112, 24
SHOP, WAREHOUSE = 8080, 8089
TITLE = "beyla beside a running service"
COMMAND = f"BEYLA_OPEN_PORT={SHOP} BEYLA_TRACE_PRINTER=text out/bin/beyla"


class Session:
    """A shell in a pty, whose output goes to a Terminal with the time since the start."""

    def __init__(self, folder):
        self.terminal = Terminal(COLUMNS)
        self.seen = ""
        self.start = time.monotonic()
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "xterm", "LANG": "C.UTF-8", "HOME": "/", "PS1": r"\e[32m$\e[0m "}
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe("setpriv", ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                                   "bash", "--norc", "--noprofile", "--noediting"], environment)
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(self, seconds, typed=False):
        """Takes what comes in that time. Pieces that come within 50 ms of each other count as one."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.tty], [], [], left)[0]:
                return
            try:
                text = os.read(self.tty, 65536).decode()
            except OSError:
                return  # the shell is gone
            self.seen += CONTROL.sub("", text)
            self.terminal.feed(text, round((time.monotonic() - self.start) * 20) / 20, typed)

    def until(self, text, seconds):
        """Waits for a text that is new since the last call."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end:
                raise SystemExit(f"record: {text!r} did not come within {seconds} s; there is:\n{self.seen}")
            self.read(0.05)
        self.seen = self.seen.split(text, 1)[1]

    def type(self, line):
        for key in line:
            os.write(self.tty, key.encode())
            self.read(0.04, typed=True)
        self.read(0.4)
        os.write(self.tty, b"\n")

    def press(self, key):
        os.write(self.tty, key)

    def close(self):
        os.kill(self.pid, signal.SIGHUP)
        os.close(self.tty)
        os.waitpid(self.pid, 0)


def start(running, command, name):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OTEL_SERVICE_NAME": name})
    running.append(process)
    return process


def service(running, program, script, *arguments, name):
    """Starts one of the demonstration's services; returns its port."""
    port = start(running, [program, str(DEMO / script), *arguments], name).stdout.readline().strip()
    if not port:
        raise SystemExit(f"record: the service {name} did not start; port {SHOP} has to be free")
    return port


def visit(path, data=None):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{SHOP}{path}", data=data, timeout=5).read()
    except urllib.error.HTTPError as error:
        error.read()


def record(folder):
    session = Session(folder)
    session.until("$ ", 5)
    session.type("whoami")
    session.until("nobody", 5)
    session.until("$ ", 5)
    session.read(0.8)
    session.type(COMMAND)
    session.until('msg="Beyla is tracing"', 10)
    session.read(1)
    for path, data in (("/", None), ("/item/teapot?session=4f3c9a&page=2", None), ("/item/kettle", None), ("/item/unicorn", None),
                       ("/order", b'{"item":"teapot"}')):
        visit(path, data)
        session.until(f"{path.split('?')[0]}", 5)
        session.read(1)
    rows = [list(row) for row in session.terminal.rows]
    # What comes after Ctrl+C (the counters) would push the spans out of the last picture.
    session.press(b"\x03")
    session.until("capabilities: ", 5)
    session.close()
    return rows


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/demo.svg"
    running = []
    with tempfile.TemporaryDirectory(prefix="beyla-record.") as folder:
        os.chmod(folder, 0o755)
        binary = pathlib.Path(folder, "out/bin/beyla")
        binary.parent.mkdir(parents=True)
        shutil.copy(ROOT / "out/bin/beyla", binary)
        subprocess.run([str(binary), "capability", "set", "--minimal", "--open-port", str(SHOP)], check=True)
        try:
            supplier = service(running, "perl", "supplier.pl", name="supplier")
            os.environ["SUPPLIER"] = f"http://127.0.0.1:{supplier}"
            start(running, ["php", "-S", f"127.0.0.1:{WAREHOUSE}", str(DEMO / "warehouse.php")], "warehouse")
            stock = service(running, "node", "stock.js", f"http://127.0.0.1:{WAREHOUSE}", name="stock")
            service(running, PYTHON, "shop.py", f"http://127.0.0.1:{stock}", str(SHOP), name="shop")
            rows = record(folder)
        finally:
            for process in running:
                process.terminate()
                process.wait()
    target.write_text(Animation(rows, COLUMNS, ROWS, TITLE).render())
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()

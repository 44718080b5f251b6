"""client.py PORT COUNT PATH: waits until its input ends, then COUNT requests over one keep-alive connection of http.client.
Prints "answers COUNT".
"""
import http.client
import sys

sys.stdin.read()
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    connection.request("GET", sys.argv[3])
    connection.getresponse().read()
print("answers", sys.argv[2])

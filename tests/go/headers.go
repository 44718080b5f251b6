// headers: what a Go program sends when it asks another service, byte by byte.
//
//	headers mirror PORT          the other service: its response is the request as it came, head and body
//	headers serve PORT BACKEND   serves GET /in/ID by a request /out/ID to BACKEND, of the kind that the ID says, and passes the response on
//	headers ask PORT N M         asks for /in/0 to /in/N-1, M at a time, and prints what was sent for each: ID KIND SIZE HEADER REST
//
// HEADER is the value of the traceparent, "none" or "several"; REST a hash of everything else, SIZE bytes of the head without it.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

// By ID % 10. Heads of 4,096 bytes fill the buffer of net/http, those of 4,026 leave room for one header of 70 bytes.
var kinds = []string{"get", "get", "get", "post", "large", "own", "lower", "full", "fits", "piped"}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func request(number int, backend string) *http.Request {
	kind := kinds[number%len(kinds)]
	url := "http://127.0.0.1:" + backend + "/out/" + strconv.Itoa(number)
	method, body := "GET", io.Reader(nil)
	switch kind {
	case "post":
		method, body = "POST", strings.NewReader("a body\r\n\r\nGET /no HTTP/1.1\r\n\r\n")
	case "large":
		method, body = "POST", bytes.NewReader(bytes.Repeat([]byte("0123456789abcdef"), 20000))
	case "piped":
		reader, writer := io.Pipe()
		go func() {
			io.WriteString(writer, "piped")
			writer.Close()
		}()
		method, body = "POST", reader
	}
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	switch kind {
	case "own":
		r.Header.Set("traceparent", own)
	case "lower":
		r.Header["traceparent"] = []string{own}
	case "full", "fits":
		size := map[string]int{"full": 4096, "fits": 4026}[kind]
		head := "GET /out/" + strconv.Itoa(number) + " HTTP/1.1\r\nHost: 127.0.0.1:" + backend +
			"\r\nUser-Agent: Go-http-client/1.1\r\nX-Pad: \r\nAccept-Encoding: gzip\r\n\r\n"
		r.Header.Set("X-Pad", strings.Repeat("x", size-len(head)))
	}
	return r
}

func serve(port, backend string) error {
	http.HandleFunc("/in/", func(writer http.ResponseWriter, incoming *http.Request) {
		number, _ := strconv.Atoi(strings.TrimPrefix(incoming.URL.Path, "/in/"))
		response, err := client.Do(request(number, backend))
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		io.Copy(writer, response.Body)
	})
	return http.ListenAndServe("127.0.0.1:"+port, nil)
}

func mirror(port string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	for err == nil {
		var connection net.Conn
		if connection, err = listener.Accept(); err == nil {
			go answer(connection)
		}
	}
	return err
}

func answer(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		var seen bytes.Buffer
		length, chunked := 0, false
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				return
			}
			seen.WriteString(line)
			if strings.HasPrefix(line, "Content-Length: ") {
				length, _ = strconv.Atoi(strings.TrimSpace(line[16:]))
			}
			chunked = chunked || strings.HasPrefix(line, "Transfer-Encoding: chunked")
			if line == "\r\n" {
				break
			}
		}
		io.CopyN(&seen, reader, int64(length))
		for chunked {
			line, err := reader.ReadString('\n')
			if err != nil {
				return
			}
			seen.WriteString(line)
			size, _ := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
			io.CopyN(&seen, reader, size+2)
			chunked = size > 0
		}
		fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", seen.Len())
		connection.Write(seen.Bytes())
	}
}

func ask(port string, number int) string {
	response, err := client.Get("http://127.0.0.1:" + port + "/in/" + strconv.Itoa(number))
	if err != nil {
		return "failed " + err.Error()
	}
	defer response.Body.Close()
	seen, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		return "failed " + response.Status
	}
	head, body, _ := strings.Cut(string(seen), "\r\n\r\n")
	header := "none"
	var rest []string
	for _, line := range strings.Split(head, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		switch {
		case !strings.EqualFold(name, "traceparent"):
			rest = append(rest, line)
		case header != "none":
			header = "several"
		default:
			header = strings.TrimSpace(value)
		}
	}
	without := strings.Join(rest, "\r\n")
	return fmt.Sprintf("%s %d %s %x", kinds[number%len(kinds)], len(without)+4, header, sha256.Sum256([]byte(without+"\r\n\r\n"+body)))
}

func main() {
	var err error
	switch os.Args[1] {
	case "mirror":
		err = mirror(os.Args[2])
	case "serve":
		err = serve(os.Args[2], os.Args[3])
	case "ask":
		requests, _ := strconv.Atoi(os.Args[3])
		workers, _ := strconv.Atoi(os.Args[4])
		lines := make([]string, requests)
		var all sync.WaitGroup
		for worker := 0; worker < workers; worker++ {
			all.Add(1)
			go func(first int) {
				for i := first; i < requests; i += workers {
					lines[i] = ask(os.Args[2], i)
				}
				all.Done()
			}(worker)
		}
		all.Wait()
		for i, line := range lines {
			fmt.Println(i, line)
		}
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

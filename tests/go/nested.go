// nested PORT BACKEND MODE: serves GET /in/ID by a call GET /out/ID to another server on 127.0.0.1.
//
// PORT and BACKEND may be ADDRESS:PORT. With CLOSE=1 in the environment each call has a connection of its own.
// MODE says on which goroutine the call is made: direct, the one that read the request; child, one that it starts; leaf, on none: no call.
// The query: before or after (a timer of ID % 7 ms before or after the call), two (calls /out/ID/1 and /out/ID/2 one after the other).
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableKeepAlives: os.Getenv("CLOSE") == "1"}}

func endpoint(text string) string {
	if strings.Contains(text, ":") {
		return text
	}
	return "127.0.0.1:" + text
}

func call(url string, mode string) {
	if mode == "child" {
		done := make(chan bool)
		go func() {
			call(url, "direct")
			done <- true
		}()
		<-done
		return
	}
	response, err := client.Get(url)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

// The body of a POST is posted to the other server, and what that sends is handed back.
func relay(writer http.ResponseWriter, request *http.Request, url string) {
	body, _ := io.ReadAll(request.Body)
	response, err := client.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	writer.Header().Set("Content-Length", response.Header.Get("Content-Length"))
	io.Copy(writer, response.Body)
}

func main() {
	here, backend, mode := endpoint(os.Args[1]), endpoint(os.Args[2]), os.Args[3]
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		if request.Method == "POST" {
			relay(writer, request, "http://"+backend+strings.Replace(request.URL.Path, "/in/", "/out/", 1))
			return
		}
		parts := strings.Split(request.URL.Path, "/")
		id := parts[len(parts)-1]
		number, _ := strconv.Atoi(id)
		wait := func(when string) {
			if request.URL.RawQuery == when {
				time.Sleep(time.Duration(number%7) * time.Millisecond)
			}
		}
		wait("before")
		url := "http://" + backend + "/out/" + id
		switch {
		case mode == "leaf":
		case request.URL.RawQuery == "two":
			call(url+"/1", mode)
			call(url+"/2", mode)
		default:
			call(url, mode)
		}
		wait("after")
		fmt.Fprintln(writer, "done")
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(here, nil))
	os.Exit(1)
}

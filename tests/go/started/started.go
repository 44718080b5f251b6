// started PORT BACKEND: serves GET /in/ID by a call GET /out/ID on a goroutine that the handler starts. Each such goroutine keeps the number of
// the one that started it in its struct g, as all do from Go 1.21 on. GET /left/ID leaves one behind, and starts many more, of which the last one calls;
// GET /late/ID has the one that was left behind make the call.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Of the goroutine that runs: g_amd64.s.
func keepStarter(number uint64)

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// "goroutine 7 [running]: ..."
func number() uint64 {
	var text [64]byte
	words := strings.Fields(string(text[:runtime.Stack(text[:], false)]))
	id, err := strconv.ParseUint(words[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return id
}

func call(url string) {
	response, err := client.Get(url)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func main() {
	port, backend := os.Args[1], os.Args[2]
	asked, made := make(chan string), make(chan bool)
	start := func(own uint64, id func() string, done chan bool) {
		go func() {
			keepStarter(own)
			call("http://127.0.0.1:" + backend + "/out/" + id())
			// The struct g is used again.
			keepStarter(0)
			done <- true
		}()
	}
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		parts := strings.Split(request.URL.Path, "/")
		id, done := parts[2], make(chan bool)
		switch parts[1] {
		case "left":
			start(number(), func() string { return <-asked }, made)
			for i := 0; i < 4096; i++ {
				go func() {}()
			}
			// So that a high number is seen: the next requests may get some that were in stock.
			start(number(), func() string { return id }, done)
			<-done
		case "late":
			asked <- id
			<-made
		default:
			start(number(), func() string { return id }, done)
			<-done
		}
		fmt.Fprintln(writer, "done")
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+port, nil))
	os.Exit(1)
}

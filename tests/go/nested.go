// Serves each request by one call with the same path to another server: on the goroutine that read the request, or on one that it starts.
//
//	nested ADDRESS leaf              answers at once
//	nested ADDRESS direct NEXT       calls first, after 0 to 6 ms
//	nested ADDRESS child NEXT        the same on a goroutine of its own
//	nested ADDRESS both NEXT         one of each, at the same time
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func call(next string, path string) {
	response, err := http.Get("http://" + next + path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func inChild(next string, path string) {
	done := make(chan bool)
	go func() {
		call(next, path)
		done <- true
	}()
	<-done
}

func main() {
	address, mode := os.Args[1], os.Args[2]
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 100
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		path := request.URL.Path
		if mode != "leaf" {
			next := os.Args[3]
			time.Sleep(time.Duration(len(path)*strings.Count(path, "1")%7) * time.Millisecond)
			switch mode {
			case "direct":
				call(next, path)
			case "child":
				inChild(next, path)
			case "both":
				done := make(chan bool)
				go func() {
					inChild(next, path+"/child")
					done <- true
				}()
				call(next, path+"/direct")
				<-done
			}
		}
		fmt.Fprintln(writer, "done")
	})
	fmt.Println("serving")
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
	os.Exit(1)
}

package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"cloudstorage/app/client"
)

// exampleV1 stands for a running API with /v1.
func exampleV1() *httptest.Server {
	answers := map[string]string{
		"GET /v1/files":                `{"files":[{"key":"notes.txt","size":17}],"prefixes":["photos/"]}`,
		"POST /v1/links":               `{"id":"1","token":"eyJrIjoi","expires_at":"2027-01-31T12:00:00Z"}`,
		"POST /v1/versions/report.pdf": `{"key":"report.pdf","size":7,"version":"2"}`,
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch body, found := answers[r.Method+" "+r.URL.Path]; {
		case r.Method == http.MethodDelete:
			w.Header().Set("Link", `</v1/versions/report.pdf?before=1>; rel="urn:cloudstorage:undo"`)
			w.WriteHeader(http.StatusNoContent)
		case found:
			fmt.Fprint(w, body)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusPreconditionFailed)
			fmt.Fprint(w, `{"type":"/v1/problems/precondition-failed","title":"The file is not as the request's condition says.","detail":"to: there is a file of that name"}`)
		}
	}))
}

func ExampleClient_Files() {
	api := exampleV1()
	defer api.Close()
	c, _ := client.New(api.URL)
	defer c.Close()

	for e, err := range c.Files(context.Background(), client.FilesOptions{Delimiter: "/"}) {
		switch {
		case err != nil:
			fmt.Println(err)
		case e.IsPrefix:
			fmt.Println("folder", e.Key)
		default:
			fmt.Println(e.Key, e.Size)
		}
	}
	// Output:
	// notes.txt 17
	// folder photos/
}

func ExampleClient_Undo() {
	api := exampleV1()
	defer api.Close()
	c, _ := client.New(api.URL)
	defer c.Close()
	ctx := context.Background()

	gone, err := c.Remove(ctx, "report.pdf")
	fmt.Println(gone.Key, err)
	back, err := c.Undo(ctx, gone.Undo)
	fmt.Println(back.Key, back.Size, err)
	// Output:
	// report.pdf <nil>
	// report.pdf 7 <nil>
}

func ExampleClient_CreateLink() {
	api := exampleV1()
	defer api.Close()
	c, _ := client.New(api.URL)
	defer c.Close()

	link, err := c.CreateLink(context.Background(), "report.pdf", client.LinkOptions{})
	fmt.Println(strings.TrimPrefix(link.URL, api.URL), link.Expires, err)
	// Output:
	// /v1/shared/eyJrIjoi 2027-01-31 12:00:00 +0000 UTC <nil>
}

func ExampleProblem() {
	api := exampleV1()
	defer api.Close()
	c, _ := client.New(api.URL)
	defer c.Close()

	_, err := c.Copy(context.Background(), "report.pdf", "notes.txt", client.CopyOptions{IfNew: true})
	var refused *client.Problem
	if errors.As(err, &refused) {
		fmt.Println(refused.Kind, refused.Status)
	}
	fmt.Println(err)
	// Output:
	// precondition-failed 412
	// the storage API answered 412: to: there is a file of that name
}

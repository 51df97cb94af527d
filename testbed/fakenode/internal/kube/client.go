package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client sends requests to one API server.
type Client struct {
	server, token string
	http          *http.Client
}

// StatusError is an API server's refusal.
type StatusError struct {
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (e *StatusError) Error() string { return fmt.Sprintf("%d %s: %s", e.Code, e.Reason, e.Message) }

// Code returns the HTTP status of a refusal, 0 for every other error.
func Code(err error) int {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}

// Content types of writes.
const (
	JSON       = "application/json"
	MergePatch = "application/merge-patch+json"
)

// requestLimit bounds everything but watches; a stuck API server must not hold a worker for good.
const requestLimit = 30 * time.Second

// Do sends a request; in and out may be nil. A refusal comes back as *StatusError.
func (c *Client) Do(ctx context.Context, method, path, contentType string, in, out any) error {
	limited, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	response, err := c.send(limited, method, path, contentType, in)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body) // the connection is used again only after that
	} else {
		err = json.NewDecoder(response.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path, contentType string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", JSON)
	request.Header.Set("User-Agent", "fakenode")
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		return nil, fmt.Errorf("%s %s: %w", method, path, refusal(response))
	}
	return response, nil
}

func refusal(response *http.Response) *StatusError {
	const enough = 64 << 10
	text, _ := io.ReadAll(io.LimitReader(response.Body, enough))
	status := &StatusError{}
	if json.Unmarshal(text, status) != nil || status.Message == "" {
		status.Message = string(text)
	}
	status.Code = response.StatusCode
	return status
}

// Event is one watch event; Object is decoded by the caller.
type Event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// Watch calls each for every event until the stream ends, which it does by itself after a while.
func (c *Client) Watch(ctx context.Context, path string, each func(Event) error) error {
	response, err := c.send(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	for {
		var event Event
		if err := decoder.Decode(&event); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("watch %s: %w", path, err)
		}
		if err := each(event); err != nil {
			return err
		}
	}
}

// Text reads a path as it is, whatever the answer's status; an error with code 0 is one of the connection.
func (c *Client) Text(ctx context.Context, path string) (text string, code int, err error) {
	limited, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, c.server+path, nil)
	if err != nil {
		return "", 0, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), response.StatusCode, err
}

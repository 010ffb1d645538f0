// Package payload implements the two codecs of this guest.
package payload

import (
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/vmihailenco/msgpack/v5"
)

// Codec is a data format.
type Codec struct {
	ID   uint64
	Name string
	read func([]byte) (*Request, error)
	// Write returns a result's data.
	Write func(any) ([]byte, error)
}

// Codecs are the supported codecs.
var Codecs = []*Codec{
	{0x0200, "json", readJSON, func(answer any) ([]byte, error) { return json.Marshal(answer) }},
	{0x0201, "msgpack", readMsgpack, msgpack.Marshal},
}

// Request is the content of every payload: an operation's name, and parameters that are decoded once the operation is known.
type Request struct {
	Operation string
	text      func() (*string, error)
}

var errOperation = errors.New("`operation` must be a string")

// Read decodes a request.
func (c *Codec) Read(data []byte) (*Request, error) {
	request, err := c.read(data)
	if err == nil && !utf8.ValidString(request.Operation) {
		err = errors.New("text that is not UTF-8")
	}
	return request, err
}

// Text is the parameter of every operation.
func (r *Request) Text() (string, error) {
	text, err := r.text()
	switch {
	case err != nil:
		return "", err
	case text == nil:
		return "", errors.New("params: `text` must be a string")
	case !utf8.ValidString(*text):
		return "", errors.New("params: text that is not UTF-8")
	}
	return *text, nil
}

func readJSON(data []byte) (*Request, error) {
	var envelope struct {
		Operation *string        `json:"operation"`
		Params    jsontext.Value `json:"params"`
	}
	if err := json.Unmarshal(data, &envelope); err != nil {
		return nil, err
	}
	if envelope.Operation == nil {
		return nil, errOperation
	}
	return &Request{*envelope.Operation, func() (*string, error) {
		var params struct {
			Text *string `json:"text"`
		}
		if envelope.Params == nil {
			return nil, errors.New("`params` is missing")
		}
		err := json.Unmarshal(envelope.Params, &params)
		return params.Text, err
	}}, nil
}

func readMsgpack(data []byte) (*Request, error) {
	if tooDeep(data) {
		return nil, errors.New("a document that is too deep")
	}
	var envelope struct {
		Operation *string            `msgpack:"operation"`
		Params    msgpack.RawMessage `msgpack:"params"`
	}
	if err := msgpack.Unmarshal(data, &envelope); err != nil {
		return nil, err
	}
	if envelope.Operation == nil {
		return nil, errOperation
	}
	return &Request{*envelope.Operation, func() (*string, error) {
		var params struct {
			Text *string `msgpack:"text"`
		}
		if envelope.Params == nil {
			return nil, errors.New("`params` is missing")
		}
		err := msgpack.Unmarshal(envelope.Params, &params)
		return params.Text, err
	}}, nil
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode"
	"unicode/utf8"
)

const usernameRunesMax = 64

var errInvalid = errors.New("not an order")

// order is the body of a request. Missing members are nil.
type order struct {
	ProductID *string `json:"product_id"`
	Count     *string `json:"count"`
	Username  *string `json:"username"`
}

// orderMessage is what is stored of the body of a single order. It applies the rules of src/model/order.ts, with two exceptions
// of encoding/json: member names match in any case, and the last of repeated members wins.
func orderMessage(body []byte) ([]byte, error) {
	var parsed order
	if err := decode(body, &parsed); err != nil {
		return nil, err
	}
	if !parsed.isValid() {
		return nil, errInvalid
	}
	return json.Marshal(&parsed)
}

// batchMessage is what is stored of a JSON array of orders, which are all valid or refused together.
func batchMessage(body []byte) ([]byte, error) {
	var parsed []order
	if err := decode(body, &parsed); err != nil {
		return nil, err
	}
	if len(parsed) == 0 {
		return nil, errInvalid
	}
	for i := range parsed {
		if !parsed[i].isValid() {
			return nil, errInvalid
		}
	}
	return json.Marshal(parsed)
}

func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errInvalid
	}
	return nil
}

func (o *order) isValid() bool {
	return isHundred(o.ProductID) && isHundred(o.Count) && isUsername(o.Username)
}

// isHundred reports whether text is a decimal from 0 to 100 without sign or leading zeros.
func isHundred(text *string) bool {
	if text == nil {
		return false
	}
	digits := *text
	if digits == "100" {
		return true
	}
	if len(digits) == 0 || len(digits) > 2 || (len(digits) == 2 && digits[0] == '0') {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

func isUsername(name *string) bool {
	if name == nil || *name == "" || utf8.RuneCountInString(*name) > usernameRunesMax {
		return false
	}
	for _, r := range *name {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

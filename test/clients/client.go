// An MT5 Web API client from the protocol document alone, with Go's standard library: one kept-alive connection.
package main

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

var base = "https://" + os.Args[1] + ":" + os.Args[2]
var client = &http.Client{Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	MaxConnsPerHost: 1,
}}

type object = map[string]any

func fail(values ...any) {
	fmt.Fprintln(os.Stderr, values...)
	os.Exit(1)
}

func ask(path string, query object, body object) (int, object) {
	values := url.Values{}
	for name, value := range query {
		values.Set(name, fmt.Sprint(value))
	}
	target := base + "/api/" + path
	if len(values) > 0 {
		target += "?" + strings.ReplaceAll(values.Encode(), "+", "%20")
	}
	method, content := "GET", io.Reader(nil)
	if body != nil {
		text, _ := json.Marshal(body)
		method, content = "POST", bytes.NewReader(text)
	}
	request, _ := http.NewRequest(method, target, content)
	response, err := client.Do(request)
	if err != nil {
		fail(path, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	reply := object{}
	_ = json.Unmarshal(text, &reply)
	return response.StatusCode, reply
}

func answer(path string, query object, body object) any {
	status, reply := ask(path, query, body)
	if retcode, _ := reply["retcode"].(string); !strings.HasPrefix(retcode, "0 ") {
		fail(path, status, reply)
	}
	if inner, found := reply["answer"]; found {
		return inner
	}
	return reply
}

func field(value any, name string) string {
	text, _ := value.(object)[name].(string)
	return text
}

func sum(parts ...[]byte) []byte {
	digest := md5.Sum(bytes.Join(parts, nil))
	return digest[:]
}

func deal(request object) any {
	id := field(answer("dealer/send_request", nil, request), "id")
	for {
		for _, event := range answer("dealer/get_request_result", object{"id": id}, nil).(object)[id].([]any) {
			if final, found := event.(object)["answer"]; found {
				return final
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	var wide []byte
	for _, letter := range "Password1" {
		wide = append(wide, byte(letter), 0)
	}
	secret := sum(sum(wide), []byte("WebAPI"))
	start := answer("auth/start", object{"version": 484, "agent": "go", "login": 1000, "type": "manager"}, nil)
	theirs, _ := hex.DecodeString(field(start, "srv_rand"))
	mine := make([]byte, 16)
	_, _ = rand.Read(mine)
	finish := answer("auth/answer", object{
		"srv_rand_answer": hex.EncodeToString(sum(secret, theirs)), "cli_rand": hex.EncodeToString(mine),
	}, nil)
	if field(finish, "cli_rand_answer") != hex.EncodeToString(sum(secret, mine)) {
		fail("the server does not know the password")
	}
	tick := answer("tick/last", object{"symbol": "EURUSD", "trans_id": 0}, nil).([]any)[0]
	order := func(kind, price, position string) object {
		return object{"Action": "200", "Login": "1001", "Symbol": "EURUSD", "Volume": "100", "TypeFill": "0",
			"Type": kind, "Digits": "5", "PriceOrder": price, "Position": position}
	}
	opened := deal(order("0", field(tick, "Ask"), "0"))
	closed := deal(order("1", field(tick, "Bid"), field(opened, "Position")))
	person := answer("client/add", nil, object{"PersonName": "Ада", "PersonLastName": "Go"})
	before := answer("user/get", object{"login": 1090}, nil)
	updated := answer("user/update", nil, object{"Login": "1090", "Comment": "go"})
	ever := object{"login": 1001, "from": 0, "to": 4102444800}
	total, _ := strconv.Atoi(field(answer("deal/get_total", ever, nil), "total"))
	page := answer("deal/get_page", object{"login": 1001, "from": 0, "to": 4102444800, "offset": 0, "total": 0}, nil)
	group := answer("user/group", object{"login": 1001}, nil)
	name := field(group, "group")
	if name == "" {
		name = field(group, "Group")
	}
	status, _ := ask("none/such", nil, nil)
	text, _ := json.Marshal(object{
		"group":            name,
		"users":            field(answer("user/total", nil, nil), "total"),
		"marginInitialBuy": field(answer("symbol/get", object{"symbol": "EURUSD"}, nil), "MarginInitialBuy"),
		"opened":           strings.Split(field(opened, "ResultRetcode"), " ")[0],
		"closed":           strings.Split(field(closed, "ResultRetcode"), " ")[0],
		"client":           field(answer("client/get", object{"id": field(person, "RecordID")}, nil).([]any)[0], "PersonName"),
		"kept":             field(updated, "Name") == field(before, "Name") && field(updated, "Comment") == "go",
		"all":              len(page.([]any)) == total,
		"unknown":          status,
	})
	fmt.Println(string(text))
	answer("quit", nil, nil)
}

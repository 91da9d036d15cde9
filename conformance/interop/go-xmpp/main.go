// A go-xmpp client for the interop suite: logs in once by the mechanism asked for, with the certificate verified, and prints a line of JSON:
// what it was given, or why it was not let in.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/xmppo/go-xmpp"
)

// Answer is the line of JSON. Binding is the flag that SCRAM's first message opens with: n, y or p=TYPE.
type Answer struct {
	JID       string `json:"jid"`
	Mechanism string `json:"mechanism"`
	Binding   string `json:"binding"`
	Error     string `json:"error"`
}

func main() {
	address := flag.String("address", "", "host:port")
	jid := flag.String("jid", "", "account")
	password := flag.String("password", "", "its password")
	ca := flag.String("ca", "", "PEM file of the only certificate to trust")
	mechanism := flag.String("mechanism", "", "empty: the library's choice")
	startTLS := flag.Bool("starttls", false, "else TLS from the first byte")
	maxTLS := flag.String("tls", "1.3", "highest version, 1.2 or 1.3")
	flag.Parse()

	for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
		os.Unsetenv(name) // the library would go through a proxy to loopback, too
	}
	time.AfterFunc(30*time.Second, func() { panic("out of patience") })
	var wire bytes.Buffer
	options := xmpp.Options{
		Host: *address, User: *jid, Password: *password, Mechanism: *mechanism,
		DialTimeout: 10 * time.Second, NoTLS: *startTLS, StartTLS: *startTLS,
		TLSConfig: trust(*ca, *jid, *maxTLS), Debug: true, DebugWriter: &wire,
	}
	client, err := options.NewClient()
	var answer Answer
	answer.Mechanism, answer.Binding = begun(wire.String())
	if err != nil {
		answer.Error = err.Error()
	} else {
		answer.JID = client.JID()
		_ = client.Close() // it is in; how the stream ends is not the question
	}
	_ = json.NewEncoder(os.Stdout).Encode(answer)
}

func trust(file, jid, version string) *tls.Config {
	pem, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	_, domain, _ := strings.Cut(jid, "@")
	config := &tls.Config{RootCAs: roots, ServerName: domain, NextProtos: []string{"xmpp-client"}}
	if version == "1.2" {
		config.MaxVersion = tls.VersionTLS12
	}
	return config
}

var auth = regexp.MustCompile(`<auth [^>]*mechanism='([^']+)'>([^<]*)</auth>`)

// begun reads from what went over the wire which mechanism was begun, and how SCRAM binds.
func begun(wire string) (mechanism, binding string) {
	found := auth.FindStringSubmatch(wire)
	if found == nil {
		return "", ""
	}
	if strings.HasPrefix(found[1], "SCRAM-") {
		message, _ := base64.StdEncoding.DecodeString(found[2])
		binding, _, _ = strings.Cut(string(message), ",")
	}
	return found[1], binding
}

module rookery.invalid/go-xmpp-peer

go 1.24.0

require github.com/xmppo/go-xmpp v0.3.1

require (
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/net v0.48.0 // indirect
)

package probe

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// sceneHalfClose: the client shuts its side down after the request, and reads the response when the connection is
// closed already on both sides.
func sceneHalfClose(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	req, resp := request("/halfclose", 5), response(100)
	if err := client.send(senderNamed("write"), req, headLen(req)); err != nil {
		return err
	}
	if err := unix.Shutdown(client.fd, unix.SHUT_WR); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	if err := server.receive(receiverNamed("read"), len(req), headLen(req)); err != nil {
		return err
	}
	if err := server.expectEnd(receiverNamed("read")); err != nil {
		return err
	}
	if err := server.send(senderNamed("write"), resp, headLen(resp)); err != nil {
		return err
	}
	server.close()
	if err := client.waitFor(unix.POLLHUP); err != nil {
		return err
	}
	if err := client.receive(receiverNamed("read"), len(resp), headLen(resp)); err != nil {
		return err
	}
	if err := client.expectEnd(receiverNamed("read")); err != nil {
		return err
	}
	client.close()
	return nil
}

// sceneResetEarly: the server answers and closes with the rest of the request unread, which resets the connection; the
// client reads the answer afterwards.
func sceneResetEarly(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	req, resp := request("/resetearly", 1000), response(100)
	if err := client.send(senderNamed("write"), req, headLen(req)); err != nil {
		return err
	}
	if err := server.receive(receiverNamed("read"), headLen(req), headLen(req)); err != nil {
		return err
	}
	if err := server.send(senderNamed("write"), resp, headLen(resp)); err != nil {
		return err
	}
	server.close()
	if err := client.waitFor(unix.POLLHUP); err != nil {
		return err
	}
	if err := client.receive(receiverNamed("read"), len(resp), headLen(resp)); err != nil {
		return err
	}
	client.close()
	return nil
}

// sceneEnd: one exchange, then one side goes as the second argument says and the other receives the end by the third.
func sceneEnd(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	if err := converse(client, server, senderNamed("write"), receiverNamed("read"), request("/end", 5), response(5)); err != nil {
		return err
	}
	switch args[1] {
	case "close":
	case "reset":
		if err := unix.SetsockoptLinger(client.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			return fmt.Errorf("ask for a reset: %w", err)
		}
	case "nothing": // an empty receive is no end
		req := request("/again", 5)
		if err := client.send(senderNamed("write"), req, headLen(req)); err != nil {
			return err
		}
		if n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(server.fd), 0, 0, 0, 0, 0); n != 0 || errno != 0 {
			return fmt.Errorf("receive nothing: %d, %w", n, errno)
		}
		return server.receive(receiverNamed("read"), len(req), headLen(req))
	}
	client.close()
	if err := server.waitFor(unix.POLLIN); err != nil {
		return err
	}
	if err := server.expectEnd(receiverNamed(args[2])); err != nil {
		return err
	}
	server.close()
	return nil
}

// expectEnd receives once and wants the end of the stream.
func (s *sock) expectEnd(how receiver) error {
	if n, err := how.call(s.fd, make([]byte, 10)); n > 0 || err == unix.EAGAIN {
		return fmt.Errorf("%s on %s: %d, %w, want the end", how.name, s.Name, n, err)
	}
	return nil
}

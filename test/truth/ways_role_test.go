package truth

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
)

// awaitWord says that a role is ready, and waits for a line on its standard input.
func awaitWord() error {
	fmt.Fprintln(os.Stderr, "ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("wait for the word: %w", err)
	}
	return nil
}

// trusting is the configuration of a client that takes any certificate, as those of tests are signed by nobody.
func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// serving is that of a server with the certificate in a folder.
func serving(folder string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, nil
}

package proc

import (
	"strings"
	"testing"
)

func TestScript(t *testing.T) {
	tests := []struct{ executable, command, cwd, want string }{
		{"python3.11", "python3 /srv/shop/checkout.py", "/", "checkout"},
		{"python3.11", "python3 -u -W ignore -X dev checkout.py --port 80", "/srv", "checkout"},
		{"python3.11", "python3 -m http.server 8000", "/tmp", "http.server"},
		{"python3.11", "python3 -um http.server", "/tmp", "http.server"},
		{"python3.11", "python3 -c print(1)", "/tmp", ""},
		{"python3.11", "python3 -Bc print(1) foo.py", "/tmp", ""},
		{"python3.11", "python3", "/tmp", ""},
		{"python3.11", "python3 - foo", "/tmp", ""},
		{"python3.11", "python3 main.py", "/home/ann/shop/cart", "cart"},
		{"python3.11", "python3 src/main.py", "/srv/cart", "cart"},
		{"python3.11", "python3 server.py", "/srv/cart", "cart-server"},
		{"python3.11", "python3 /app/main.py", "/app", "main"},
		{"python3.11", "python3 app.py", "/home/ann", "app"},
		{"python3.11", "python3 app.py", "/tmp/1234", "app"},
		{"python3.11", "python3 manage.py runserver", "/srv/webshop", "webshop"},
		{"python3.11", "python3 -m shop.cart.__main__", "/", "shop.cart"},
		{"python3.11", "python3 -m shop.cart.main", "/", "cart"},
		{"python3.11", "/usr/bin/python3 /usr/local/bin/gunicorn -w 4 -b 0.0.0.0:80 shop.wsgi:application", "/srv", "shop"},
		{"python3.11", "python3 -m uvicorn cart:app --port 80", "/srv", "cart"},
		{"python3.11", "python3 -m uvicorn main:app --host 0.0.0.0", "/srv/orders", "orders"},
		{"python3.11", "/usr/bin/python3 /usr/bin/celery -A billing worker", "/", "billing"},
		{"python3.11", "/usr/bin/python3 /usr/bin/flask --app stock.py run", "/", "stock"},
		{"pypy3", "pypy3 feed.py", "/", "feed"},
		{"uwsgi", "uwsgi --http :80 --module stock.wsgi:application", "/", "stock"},
		{"uwsgi", "uwsgi --ini /etc/uwsgi/stock.ini", "/", "stock"},
		{"node", "node /srv/shop/catalog.js", "/", "catalog"},
		{"node", "node --require ./trace.js --max-old-space-size=400 -r dotenv/config index.js", "/srv/catalog", "catalog"},
		{"node", "node dist/main.js", "/srv/catalog", "catalog"},
		{"node", "node -e setInterval(()=>{},1)", "/srv", ""},
		{"node", "node --eval x", "/srv", ""},
		{"node", "node /usr/lib/node_modules/http-server/bin/http-server .", "/srv", "http-server"},
		{"java", "java -Xmx1g -jar /opt/billing-1.2.3-SNAPSHOT.jar --server.port=80", "/", "billing"},
		{"java", "java -jar app.jar", "/srv/billing", "billing"},
		{"java", "java -cp /a.jar:/b.jar -Dx=y com.shop.Billing", "/", "Billing"},
		{"java", "java -classpath x com.shop.billing.Main", "/", "billing"},
		{"java", "java -cp x kafka.Kafka server.properties", "/", "Kafka"},
		{"java", "java -cp x org.apache.catalina.startup.Bootstrap start", "/", "catalina"},
		{"java", "java --module-path mods -m com.shop/com.shop.Billing", "/", "Billing"},
		{"java", "java Upstream.java 8080", "/", "Upstream"},
		{"java", "java -version", "/", ""},
		{"ruby3.1", "ruby -Ilib -r json mail.rb", "/", "mail"},
		{"ruby3.1", "ruby bin/rails server", "/srv/webshop", "webshop"},
		{"php8.2", "php -d memory_limit=1G /srv/job.php", "/", "job"},
		{"php8.2", "php -f /srv/job.php", "/", "job"},
		{"php8.2", "php -S 0.0.0.0:80 -t /srv/webshop/public", "/", "webshop"},
		{"php8.2", "php -r echo(1);", "/", ""},
		{"perl", "perl -w -Ilib -Mstrict feed.pl", "/", "feed"},
		{"perl", "perl -e print", "/", ""},
		{"bash", "bash -eu ./deploy.sh", "/", "deploy"},
		{"bash", "bash -c sleep", "/", ""},
		{"dash", "sh -o errexit cron.sh", "/", "cron"},
		{"bash", "-bash", "/", ""},
		{"bash", "bash /dev/fd/3", "/", ""},
		{"python3.11", "python3 /proc/self/fd/11", "/", ""},
		{"python3.11", "python3 0.py", "/srv/jobs", "jobs"},
		{"nginx", "nginx -g daemon", "/", ""},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			if got := Script(tt.executable, strings.Fields(tt.command), tt.cwd); got != tt.want {
				t.Errorf("Script(%q, %q, %q) = %q, want %q", tt.executable, tt.command, tt.cwd, got, tt.want)
			}
		})
	}
}

// Titles as gunicorn 20 and puma 6 write them.
func TestScriptFromTitle(t *testing.T) {
	for title, want := range map[string]string{
		"gunicorn: master [shop]":                  "shop",
		"gunicorn: worker [shop.wsgi:application]": "shop",
		"puma 6.4.0 (tcp://0.0.0.0:3000) [orders]": "orders",
		"gunicorn: ": "",
	} {
		if got := Script("python3.11", []string{title}, "/"); got != want {
			t.Errorf("Script of title %q = %q, want %q", title, got, want)
		}
	}
}

func TestScriptNeverPanics(t *testing.T) {
	words := []string{"", "-", "--", "-m", "-c", "-jar", "x", "/", ".", "..", "main", "a:b", "=", "-A", "gunicorn", "-W", "\xff"}
	for _, exe := range []string{"python3", "node", "java", "ruby", "php", "perl", "bash", "uwsgi", ""} {
		for _, a := range words {
			for _, b := range words {
				for _, c := range words {
					if got := Script(exe, []string{exe, a, b, c}, a); len(got) > 64 {
						t.Fatalf("Script(%q, %q %q %q) = %q", exe, a, b, c, got)
					}
				}
			}
		}
	}
}

func TestParseStat(t *testing.T) {
	tail := " S 7 1 1 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 122539 3133440 384"
	for _, tt := range []struct {
		in   string
		want Stat
		ok   bool
	}{
		{"11205 (cat)" + tail, Stat{11205, 7, 122539, "cat"}, true},
		{"12 (a) b (c))" + tail, Stat{12, 7, 122539, "a) b (c)"}, true},
		{"12 (cat) S 7", Stat{}, false},
		{"", Stat{}, false},
		{"x (cat)" + tail, Stat{}, false},
	} {
		got, state, ok := parseStat(tt.in)
		if got != tt.want || ok != tt.ok || (ok && state != 'S') {
			t.Errorf("parseStat(%q) = %+v %c %v, want %+v %v", tt.in, got, state, ok, tt.want, tt.ok)
		}
	}
}

package main

import (
	"fmt"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// agentItself measures what Sonde's own process and its BPF maps use.
func (b *bench) agentItself() error {
	before, err := sut.BPFObjects()
	if err != nil {
		return err
	}
	return b.withSonde(func(s *sut.Sonde) error {
		time.Sleep(3 * time.Second)
		b.report.single("memory of Sonde, idle", "MB", float64(s.RSS())/1e6, "≤ 60", 60, "RSS")
		if err := b.bpfMemory(before); err != nil {
			return err
		}
		w, addr, err := b.nginx()
		if err != nil {
			return err
		}
		defer w.stop()
		if err := b.visibility(s, addr); err != nil {
			return err
		}

		length := max(b.seconds, 3)
		cpu, begin := s.CPU(), time.Now()
		_, l, err := b.paced(addr, 10000, length)
		if err != nil {
			return err
		}
		used, rate := s.CPU()-cpu, float64(len(l.Durations))/time.Since(begin).Seconds()
		b.report.single("memory of Sonde, 10 k requests/s", "MB", float64(s.RSS())/1e6, "≤ 150", 150, fmt.Sprintf("RSS at %.0f requests/s", rate))
		b.report.single("CPU of Sonde per exchange, 10 k requests/s", "µs", perExchange(used, float64(len(l.Durations))), "≤ 2", 2, "two exchanges for each request, one at each end")

		cpu = s.CPU()
		requests, rate, _, err := b.wrk("http://"+addr, length)
		if err != nil {
			return err
		}
		time.Sleep(time.Second) // what is still queued is part of the price
		b.report.single("CPU of Sonde per exchange, saturated", "µs", perExchange(s.CPU()-cpu, requests), "≤ 2", 2, fmt.Sprintf("at %.0f requests/s", rate))
		b.report.single("memory of Sonde after saturation", "MB", float64(s.RSS())/1e6, "≤ 150", 150, "RSS")
		return b.report.losses(s)
	})
}

func perExchange(used time.Duration, requests float64) float64 {
	return float64(used.Microseconds()) / (2 * requests)
}

func (b *bench) bpfMemory(before []sut.BPFObject) error {
	now, err := sut.BPFObjects()
	if err != nil {
		return err
	}
	var bytes int64
	maps, programs := 0, 0
	for _, o := range sut.Appeared(before, now) {
		bytes += o.Bytes
		switch o.Kind {
		case "map":
			maps++
		case "prog":
			programs++
		}
	}
	b.report.single("memory of BPF, idle", "MB", float64(bytes)/1e6, "", 0, fmt.Sprintf("%d maps, %d programs, bytes_memlock", maps, programs))
	return nil
}

// visibility measures how long one request takes to show in the API: the flush interval and how soon after it.
func (b *bench) visibility(s *sut.Sonde, addr string) error {
	const query = `sum(histogram_count(http_server_request_duration_seconds{service_name="bench-nginx"}))`
	count, err := s.Value(query)
	if err != nil {
		return err
	}
	if _, _, err := b.paced(addr, 1, 1); err != nil {
		return err
	}
	begin := time.Now()
	for time.Since(begin) < 30*time.Second {
		now, err := s.Value(query)
		if err != nil {
			return err
		}
		if now > count {
			b.report.single("request until it shows in the API", "s", time.Since(begin).Seconds(), "≤ 7", 7, "flush interval 5 s")
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("one request did not show in the API in 30 s")
}

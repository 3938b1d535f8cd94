package dialect_test

import (
	"fmt"
	"strings"
	"testing"
)

// Requests after the Amazon S3 API reference and what aws-sdk-go and minio-go send.
func TestS3(t *testing.T) {
	const scope = "/20261121/eu-west-1/s3/aws4_request"
	const signed = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE" + scope + ", SignedHeaders=host;x-amz-date, Signature=fe5f\r\nx-amz-date: 20261121T000000Z\r\n"
	const xml = "Content-Type: application/xml\r\n"
	const presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261121%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=ab"
	s3 := func(request, want string) exchange {
		return exchange{name: request, request: request, fields: signed, response: xml, reply: "<x/>", want: want}
	}
	at := func(host string, x exchange) exchange {
		x.name, x.fields = host+" "+x.name, "Host: "+host+"\r\n"+x.fields
		return x
	}
	copied := s3("PUT /photos/b", "s3 CopyObject photos")
	copied.fields += "x-amz-copy-source: /photos/a\r\n"
	anonymous := s3("GET /photos/secret/key.jpg", "")
	anonymous.name, anonymous.fields = "without a signature", ""
	dynamo := s3("POST /", "")
	dynamo.name, dynamo.fields = "DynamoDB", strings.ReplaceAll(signed, "/s3/", "/dynamodb/")
	old := s3("GET /photos/a", "")
	old.name, old.fields = "version 2", "Authorization: AWS AKID:sig=\r\n"
	presign := s3("GET /photos/a?"+presigned, "s3 GetObject photos")
	presign.fields = ""
	other := s3("GET /photos/a?"+strings.ReplaceAll(presigned, "%2Fs3%2F", "%2Fsqs%2F"), "")
	other.fields = ""
	runTable(t, []exchange{
		s3("GET /", "s3 ListBuckets -"),
		s3("GET /photos/a/b/c.jpg", "s3 GetObject photos"),
		s3("HEAD /photos/a", "s3 HeadObject photos"),
		s3("PUT /photos/a?x-id=PutObject", "s3 PutObject photos"),
		s3("DELETE /photos/a", "s3 DeleteObject photos"),
		s3("POST /photos/?delete", "s3 DeleteObjects photos"),
		s3("GET /photos?list-type=2&prefix=secret", "s3 ListObjectsV2 photos"),
		s3("GET /photos/?prefix=secret", "s3 ListObjects photos"),
		s3("GET /photos?location", "s3 GetBucketLocation photos"),
		s3("GET /photos?versions", "s3 ListObjectVersions photos"),
		s3("PUT /photos?policy", "s3 PutBucketPolicy photos"),
		s3("GET /photos/a?acl", "s3 GetObjectAcl photos"),
		s3("PUT /photos", "s3 CreateBucket photos"),
		s3("HEAD /photos", "s3 HeadBucket photos"),
		s3("POST /photos/a?uploads=", "s3 CreateMultipartUpload photos"),
		s3("PUT /photos/a?partNumber=1&uploadId=VX", "s3 UploadPart photos"),
		s3("POST /photos/a?uploadId=VX", "s3 CompleteMultipartUpload photos"),
		s3("DELETE /photos/a?uploadId=VX", "s3 AbortMultipartUpload photos"),
		s3("GET /photos/a?uploadId=VX", "s3 ListParts photos"),
		s3("GET /photos?uploads", "s3 ListMultipartUploads photos"),
		copied, presign,

		// near misses
		anonymous, dynamo, old, other,
		s3("POST /photos/a", ""),
		s3("PATCH /photos/a", ""),
		s3("GET /Photos/a", ""),
		s3("GET /ab/a", ""),
		s3("GET /photos?acl&tagging", ""),
		s3("GET /photos?acl&policy&replication", ""),
	})
	for host, want := range map[string]string{
		"photos.s3.amazonaws.com":           "s3 GetObject photos",
		"photos.s3.eu-west-1.amazonaws.com": "s3 GetObject photos",
		"a.b.s3-eu-west-1.amazonaws.com":    "s3 GetObject a.b",
		"s3.eu-west-1.amazonaws.com":        "s3 GetObject some",
		"minio.storage.svc.cluster.local":   "s3 GetObject some",
		"10.1.2.3":                          "s3 GetObject some",
		"files.example.org":                 "s3 GetObject -",
		"sqs.eu-west-1.amazonaws.com":       "s3 GetObject -",
	} {
		x := at(host, s3("GET /some/key", want))
		request, _ := x.calls(false)
		request = strings.Replace(request, "Host: localhost:9200\r\n", "", 1)
		t.Run(host, func(t *testing.T) {
			if got := describe(playText(request).views[1]); got != want {
				t.Errorf("%s is %q, want %q", x.name, got, want)
			}
		})
	}
}

// The name of a key must be nowhere.
func TestS3KeepsNoKeys(t *testing.T) {
	x := exchange{request: "GET /photos/geheim.jpg?versionId=geheim", fields: "Authorization: AWS4-HMAC-SHA256 Credential=geheim/20261121/x/s3/aws4_request, Signature=geheim\r\n", response: "Server: x\r\n"}
	v := x.play(1<<20, false).views[1]
	if s := fmt.Sprintf("%+v", v); v == nil || strings.Contains(s, "geheim") {
		t.Errorf("the view is %s", s)
	}
}

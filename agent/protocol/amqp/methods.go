package amqp

// role says who sends a method.
type role uint8

const (
	fromClient role = iota
	fromServer
	either
)

// method is what is known of a class and method id.
type method struct {
	name    string // the operation
	role    role
	isReply bool   // answers another method
	reply   uint16 // method id of the answer, in the same class; 0 for none
	wait    int8   // the bit of the octet of flags that says no-wait, -1 for none
	hasBody bool   // a content follows
}

// Classes (amqp0-9-1.xml) and the methods that are treated one by one.
const (
	classConnection = 10
	classChannel    = 20
	classExchange   = 40
	classQueue      = 50
	classBasic      = 60
	classConfirm    = 85
	classTx         = 90

	connectionStart    = classConnection<<16 | 10
	connectionStartOK  = classConnection<<16 | 11
	connectionSecure   = classConnection<<16 | 20
	connectionSecureOK = classConnection<<16 | 21
	connectionTune     = classConnection<<16 | 30
	connectionTuneOK   = classConnection<<16 | 31
	connectionOpen     = classConnection<<16 | 40
	connectionClose    = classConnection<<16 | 50
	channelOpen        = classChannel<<16 | 10
	channelClose       = classChannel<<16 | 40
	channelCloseOK     = classChannel<<16 | 41
	exchangeDeclare    = classExchange<<16 | 10
	exchangeBind       = classExchange<<16 | 30
	exchangeUnbind     = classExchange<<16 | 40
	queueDeclare       = classQueue<<16 | 10
	queueDeclareOK     = classQueue<<16 | 11
	queueBind          = classQueue<<16 | 20
	queueUnbind        = classQueue<<16 | 50
	basicConsume       = classBasic<<16 | 20
	basicConsumeOK     = classBasic<<16 | 21
	basicCancel        = classBasic<<16 | 30
	basicPublish       = classBasic<<16 | 40
	basicReturn        = classBasic<<16 | 50
	basicDeliver       = classBasic<<16 | 60
	basicGet           = classBasic<<16 | 70
	basicGetOK         = classBasic<<16 | 71
	basicGetEmpty      = classBasic<<16 | 72
	basicAck           = classBasic<<16 | 80
	basicReject        = classBasic<<16 | 90
	basicNack          = classBasic<<16 | 120
	confirmSelect      = classConfirm<<16 | 10
)

// protocolHeader opens a connection; as a request it is answered by connection.start.
const protocolHeader = "AMQP\x00\x00\x09\x01"

var methods = map[uint32]method{
	connectionStart:          {name: "connection.start", role: fromServer, isReply: true, wait: -1},
	connectionStartOK:        {name: "connection.start-ok", wait: -1},
	connectionSecure:         {name: "connection.secure", role: fromServer, isReply: true, wait: -1},
	connectionSecureOK:       {name: "connection.secure-ok", wait: -1},
	connectionTune:           {name: "connection.tune", role: fromServer, isReply: true, wait: -1},
	connectionTuneOK:         {name: "connection.tune-ok", wait: -1},
	connectionOpen:           {name: "connection.open", reply: 41, wait: -1},
	connectionOpen + 1:       {name: "connection.open-ok", role: fromServer, isReply: true, wait: -1},
	connectionClose:          {name: "connection.close", role: either, reply: 51, wait: -1},
	connectionClose + 1:      {name: "connection.close-ok", role: either, isReply: true, wait: -1},
	classConnection<<16 | 60: {name: "connection.blocked", role: fromServer, wait: -1},
	classConnection<<16 | 61: {name: "connection.unblocked", role: fromServer, wait: -1},
	classConnection<<16 | 70: {name: "connection.update-secret", reply: 71, wait: -1},
	classConnection<<16 | 71: {name: "connection.update-secret-ok", role: fromServer, isReply: true, wait: -1},

	channelOpen:           {name: "channel.open", reply: 11, wait: -1},
	channelOpen + 1:       {name: "channel.open-ok", role: fromServer, isReply: true, wait: -1},
	classChannel<<16 | 20: {name: "channel.flow", role: either, reply: 21, wait: -1},
	classChannel<<16 | 21: {name: "channel.flow-ok", role: either, isReply: true, wait: -1},
	channelClose:          {name: "channel.close", role: either, reply: 41, wait: -1},
	channelCloseOK:        {name: "channel.close-ok", role: either, isReply: true, wait: -1},

	exchangeDeclare:        {name: "exchange.declare", reply: 11, wait: 4},
	exchangeDeclare + 1:    {name: "exchange.declare-ok", role: fromServer, isReply: true, wait: -1},
	classExchange<<16 | 20: {name: "exchange.delete", reply: 21, wait: 1},
	classExchange<<16 | 21: {name: "exchange.delete-ok", role: fromServer, isReply: true, wait: -1},
	exchangeBind:           {name: "exchange.bind", reply: 31, wait: 0},
	exchangeBind + 1:       {name: "exchange.bind-ok", role: fromServer, isReply: true, wait: -1},
	exchangeUnbind:         {name: "exchange.unbind", reply: 51, wait: 0},
	classExchange<<16 | 51: {name: "exchange.unbind-ok", role: fromServer, isReply: true, wait: -1},

	queueDeclare:        {name: "queue.declare", reply: 11, wait: 4},
	queueDeclareOK:      {name: "queue.declare-ok", role: fromServer, isReply: true, wait: -1},
	queueBind:           {name: "queue.bind", reply: 21, wait: 0},
	queueBind + 1:       {name: "queue.bind-ok", role: fromServer, isReply: true, wait: -1},
	classQueue<<16 | 30: {name: "queue.purge", reply: 31, wait: 0},
	classQueue<<16 | 31: {name: "queue.purge-ok", role: fromServer, isReply: true, wait: -1},
	classQueue<<16 | 40: {name: "queue.delete", reply: 41, wait: 2},
	classQueue<<16 | 41: {name: "queue.delete-ok", role: fromServer, isReply: true, wait: -1},
	queueUnbind:         {name: "queue.unbind", reply: 51, wait: -1},
	queueUnbind + 1:     {name: "queue.unbind-ok", role: fromServer, isReply: true, wait: -1},

	classBasic<<16 | 10:  {name: "qos", reply: 11, wait: -1},
	classBasic<<16 | 11:  {name: "qos-ok", role: fromServer, isReply: true, wait: -1},
	basicConsume:         {name: "consume", reply: 21, wait: 3},
	basicConsumeOK:       {name: "consume-ok", role: fromServer, isReply: true, wait: -1},
	basicCancel:          {name: "cancel", role: either, reply: 31, wait: 0},
	basicCancel + 1:      {name: "cancel-ok", role: either, isReply: true, wait: -1},
	basicPublish:         {name: "publish", wait: -1, hasBody: true},
	basicReturn:          {name: "return", role: fromServer, wait: -1, hasBody: true},
	basicDeliver:         {name: "deliver", role: fromServer, wait: -1, hasBody: true},
	basicGet:             {name: "get", reply: 71, wait: -1},
	basicGetOK:           {name: "get-ok", role: fromServer, isReply: true, wait: -1, hasBody: true},
	basicGetEmpty:        {name: "get-empty", role: fromServer, isReply: true, wait: -1},
	basicAck:             {name: "ack", role: either, wait: -1},
	basicReject:          {name: "reject", wait: -1},
	classBasic<<16 | 100: {name: "recover-async", wait: -1},
	classBasic<<16 | 110: {name: "recover", reply: 111, wait: -1},
	classBasic<<16 | 111: {name: "recover-ok", role: fromServer, isReply: true, wait: -1},
	basicNack:            {name: "nack", role: either, wait: -1},

	confirmSelect:     {name: "confirm.select", reply: 11, wait: 0},
	confirmSelect + 1: {name: "confirm.select-ok", role: fromServer, isReply: true, wait: -1},

	classTx<<16 | 10: {name: "tx.select", reply: 11, wait: -1},
	classTx<<16 | 11: {name: "tx.select-ok", role: fromServer, isReply: true, wait: -1},
	classTx<<16 | 20: {name: "tx.commit", reply: 21, wait: -1},
	classTx<<16 | 21: {name: "tx.commit-ok", role: fromServer, isReply: true, wait: -1},
	classTx<<16 | 30: {name: "tx.rollback", reply: 31, wait: -1},
	classTx<<16 | 31: {name: "tx.rollback-ok", role: fromServer, isReply: true, wait: -1},
}

// args reads the arguments of a method; what is missing reads as zero.
type args []byte

func (a *args) take(n int) []byte {
	if len(*a) < n {
		*a = nil
		return nil
	}
	b := (*a)[:n]
	*a = (*a)[n:]
	return b
}

func (a *args) number(n int) (x uint64) {
	for _, c := range a.take(n) {
		x = x<<8 | uint64(c)
	}
	return x
}

// text reads a short string.
func (a *args) text() []byte { return a.take(int(a.number(1))) }

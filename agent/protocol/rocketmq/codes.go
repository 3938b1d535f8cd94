package rocketmq

import "strconv"

// Codes that are treated apart (org.apache.rocketmq.remoting.protocol.RequestCode).
const (
	codeSend         = 10
	codePull         = 11
	codeSendV2       = 310
	codeSendBatch    = 320
	codeSendReply    = 324
	codeSendReplyV2  = 325
	codePushReply    = 326
	codeLitePull     = 361
	codePop          = 200050
	codePopShort     = 3442
	codeNotification = 200054
	codePeek         = 200052
)

// requests are the names of request codes. The codes of pop consumption were renumbered in the course of version 5.
var requests = map[int32]string{
	codeSend: "SEND_MESSAGE", codePull: "PULL_MESSAGE", 12: "QUERY_MESSAGE", 13: "QUERY_BROKER_OFFSET", 14: "QUERY_CONSUMER_OFFSET",
	15: "UPDATE_CONSUMER_OFFSET", 17: "UPDATE_AND_CREATE_TOPIC", 18: "UPDATE_AND_CREATE_TOPIC_LIST", 21: "GET_ALL_TOPIC_CONFIG",
	25: "UPDATE_BROKER_CONFIG", 26: "GET_BROKER_CONFIG", 28: "GET_BROKER_RUNTIME_INFO", 29: "SEARCH_OFFSET_BY_TIMESTAMP",
	30: "GET_MAX_OFFSET", 31: "GET_MIN_OFFSET", 32: "GET_EARLIEST_MSG_STORETIME", 33: "VIEW_MESSAGE_BY_ID", 34: "HEART_BEAT",
	35: "UNREGISTER_CLIENT", 36: "CONSUMER_SEND_MSG_BACK", 37: "END_TRANSACTION", 38: "GET_CONSUMER_LIST_BY_GROUP",
	39: "CHECK_TRANSACTION_STATE", 40: "NOTIFY_CONSUMER_IDS_CHANGED", 41: "LOCK_BATCH_MQ", 42: "UNLOCK_BATCH_MQ",
	43: "GET_ALL_CONSUMER_OFFSET", 45: "GET_ALL_DELAY_OFFSET", 46: "CHECK_CLIENT_CONFIG", 47: "GET_CLIENT_CONFIG",
	60: "GET_TIMER_CHECK_POINT", 61: "GET_TIMER_METRICS",
	100: "PUT_KV_CONFIG", 101: "GET_KV_CONFIG", 102: "DELETE_KV_CONFIG", 103: "REGISTER_BROKER", 104: "UNREGISTER_BROKER",
	105: "GET_ROUTEINFO_BY_TOPIC", 106: "GET_BROKER_CLUSTER_INFO", 200: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
	201: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG", 202: "GET_TOPIC_STATS_INFO", 203: "GET_CONSUMER_CONNECTION_LIST",
	204: "GET_PRODUCER_CONNECTION_LIST", 205: "WIPE_WRITE_PERM_OF_BROKER", 206: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
	207: "DELETE_SUBSCRIPTIONGROUP", 208: "GET_CONSUME_STATS", 215: "DELETE_TOPIC_IN_BROKER", 216: "DELETE_TOPIC_IN_NAMESRV",
	217: "REGISTER_TOPIC_IN_NAMESRV", 219: "GET_KVLIST_BY_NAMESPACE", 220: "RESET_CONSUMER_CLIENT_OFFSET",
	221: "GET_CONSUMER_STATUS_FROM_CLIENT", 222: "INVOKE_BROKER_TO_RESET_OFFSET", 223: "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
	224: "GET_TOPICS_BY_CLUSTER", 300: "QUERY_TOPIC_CONSUME_BY_WHO", 303: "QUERY_CONSUME_TIME_SPAN",
	304: "GET_SYSTEM_TOPIC_LIST_FROM_NS", 305: "GET_SYSTEM_TOPIC_LIST_FROM_BROKER", 307: "GET_CONSUMER_RUNNING_INFO",
	309: "CONSUME_MESSAGE_DIRECTLY", codeSendV2: "SEND_MESSAGE_V2", 315: "VIEW_BROKER_STATS_DATA", 317: "GET_BROKER_CONSUME_STATS",
	318: "UPDATE_NAMESRV_CONFIG", 319: "GET_NAMESRV_CONFIG", codeSendBatch: "SEND_BATCH_MESSAGE", 321: "QUERY_CONSUME_QUEUE",
	322: "QUERY_DATA_VERSION", 323: "RESUME_CHECK_HALF_MESSAGE", codeSendReply: "SEND_REPLY_MESSAGE",
	codeSendReplyV2: "SEND_REPLY_MESSAGE_V2", codePushReply: "PUSH_REPLY_MESSAGE_TO_CLIENT", 327: "ADD_WRITE_PERM_OF_BROKER",
	351: "GET_TOPIC_CONFIG", 352: "GET_SUBSCRIPTIONGROUP_CONFIG", codeLitePull: "LITE_PULL_MESSAGE", 400: "QUERY_ASSIGNMENT",
	401: "SET_MESSAGE_REQUEST_MODE", 901: "GET_BROKER_MEMBER_GROUP", 904: "BROKER_HEARTBEAT", 905: "NOTIFY_MIN_BROKER_ID_CHANGE",
	906: "EXCHANGE_BROKER_HA_INFO", 907: "GET_BROKER_HA_STATUS", 1001: "CONTROLLER_ALTER_SYNC_STATE_SET",
	1002: "CONTROLLER_ELECT_MASTER", 1003: "CONTROLLER_REGISTER_BROKER", 1004: "CONTROLLER_GET_REPLICA_INFO",
	1005: "CONTROLLER_GET_METADATA_INFO", 1008: "NOTIFY_BROKER_ROLE_CHANGED",
	codePopShort: "POP_MESSAGE", 3443: "ACK_MESSAGE", 3444: "PEEK_MESSAGE", 3445: "CHANGE_MESSAGE_INVISIBLETIME", 3446: "NOTIFICATION",
	3447: "POLLING_INFO", 3543: "BATCH_ACK_MESSAGE",
	codePop: "POP_MESSAGE", 200051: "ACK_MESSAGE", codePeek: "PEEK_MESSAGE", 200053: "CHANGE_MESSAGE_INVISIBLETIME",
	codeNotification: "NOTIFICATION", 200055: "POLLING_INFO", 200151: "BATCH_ACK_MESSAGE",
}

// otherCode stands for codes that are not on a list.
const otherCode = "other"

func requestName(code int32) string {
	if name, ok := requests[code]; ok {
		return name
	}
	return otherCode
}

// waits reports whether the broker answers late on purpose, until there is a message.
func waits(code int32) bool {
	switch code {
	case codePull, codeLitePull, codePop, codePopShort, codeNotification, 3446:
		return true
	}
	return false
}

// carriesMessages reports whether the body of a successful response is messages.
func carriesMessages(code int32) bool {
	switch code {
	case codePull, codeLitePull, codePop, codePopShort, codePeek, 3444:
		return true
	}
	return false
}

// blame says whose error a response code is.
type blame uint8

const (
	nobody blame = iota // part of the course of things
	client
	server
)

type outcome struct {
	name  string
	blame blame
}

// responses are the codes of RemotingSysResponseCode and ResponseCode.
var responses = map[int32]outcome{
	0: {"SUCCESS", nobody}, 1: {"SYSTEM_ERROR", server}, 2: {"SYSTEM_BUSY", server}, 3: {"REQUEST_CODE_NOT_SUPPORTED", client},
	4: {"TRANSACTION_FAILED", client}, 10: {"FLUSH_DISK_TIMEOUT", server}, 11: {"SLAVE_NOT_AVAILABLE", server},
	12: {"FLUSH_SLAVE_TIMEOUT", server}, 13: {"MESSAGE_ILLEGAL", client}, 14: {"SERVICE_NOT_AVAILABLE", server},
	15: {"VERSION_NOT_SUPPORTED", client}, 16: {"NO_PERMISSION", client}, 17: {"TOPIC_NOT_EXIST", client},
	18: {"TOPIC_EXIST_ALREADY", client}, 19: {"PULL_NOT_FOUND", nobody}, 20: {"PULL_RETRY_IMMEDIATELY", nobody},
	21: {"PULL_OFFSET_MOVED", client}, 22: {"QUERY_NOT_FOUND", nobody}, 23: {"SUBSCRIPTION_PARSE_FAILED", client},
	24: {"SUBSCRIPTION_NOT_EXIST", client}, 25: {"SUBSCRIPTION_NOT_LATEST", client}, 26: {"SUBSCRIPTION_GROUP_NOT_EXIST", client},
	27: {"FILTER_DATA_NOT_EXIST", client}, 28: {"FILTER_DATA_NOT_LATEST", client}, 29: {"INVALID_PARAMETER", client},
	200: {"TRANSACTION_SHOULD_COMMIT", nobody}, 201: {"TRANSACTION_SHOULD_ROLLBACK", nobody}, 202: {"TRANSACTION_STATE_UNKNOW", client},
	203: {"TRANSACTION_STATE_GROUP_WRONG", client}, 204: {"NO_BUYER_ID", client}, 205: {"NOT_IN_CURRENT_UNIT", client},
	206: {"CONSUMER_NOT_ONLINE", client}, 207: {"CONSUME_MSG_TIMEOUT", client}, 208: {"NO_MESSAGE", nobody},
	209: {"POLLING_FULL", server}, 210: {"POLLING_TIMEOUT", nobody}, 211: {"BROKER_NOT_EXIST", client},
	212: {"BROKER_DISPATCH_NOT_COMPLETE", server}, 213: {"BROADCAST_CONSUMPTION", client}, 215: {"FLOW_CONTROL", server},
	501: {"NOT_LEADER_FOR_QUEUE", client}, 604: {"ILLEGAL_OPERATION", client}, -1000: {"RPC_UNKNOWN", server},
	-1002: {"RPC_ADDR_IS_NULL", server}, -1004: {"RPC_SEND_TO_CHANNEL_FAILED", server}, -1006: {"RPC_TIME_OUT", server},
	1500: {"GO_AWAY", nobody}, 2000: {"CONTROLLER_FENCED_MASTER_EPOCH", client}, 2001: {"CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH", client},
	2002: {"CONTROLLER_INVALID_MASTER", client}, 2003: {"CONTROLLER_INVALID_REPLICAS", client},
	2004: {"CONTROLLER_MASTER_NOT_AVAILABLE", server}, 2005: {"CONTROLLER_INVALID_REQUEST", client},
	2006: {"CONTROLLER_BROKER_NOT_ALIVE", client}, 2007: {"CONTROLLER_NOT_LEADER", client}, 2012: {"CONTROLLER_ELECT_MASTER_FAILED", server},
	2015: {"CONTROLLER_JRAFT_INTERNAL_ERROR", server}, 3001: {"USER_NOT_EXIST", client}, 3002: {"POLICY_NOT_EXIST", client},
}

// outcomeOf names a response code. One that is not on the list is an error; below 10000 its number is its name.
func outcomeOf(code int32) outcome {
	if o, ok := responses[code]; ok {
		return o
	}
	if 0 < code && code < 10000 {
		return outcome{strconv.Itoa(int(code)), client}
	}
	return outcome{otherCode, client}
}

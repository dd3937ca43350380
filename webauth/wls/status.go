package wls

// The statuses of a response (WAA2WLS, "Authentication response").
const (
	StatusSuccess       = 200 // the person has authenticated
	StatusCancelled     = 410 // the person cancelled
	StatusNoAuthType    = 510 // no mutually acceptable authentication type
	StatusVersion       = 520 // the protocol version is not supported
	StatusRequest       = 530 // a request parameter is wrong
	StatusInteraction   = 540 // iact=no, but the person would have to be asked
	StatusNotAuthorised = 560 // this web site may not use the service
	StatusDeclined      = 570 // the service declines to authenticate this time
)

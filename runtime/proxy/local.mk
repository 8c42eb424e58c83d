runtime_proxy_sources = \
	runtime/proxy/address_class.c \
	runtime/proxy/address_class.h \
	runtime/proxy/allow_list.c \
	runtime/proxy/allow_list.h \
	runtime/proxy/client_hello.c \
	runtime/proxy/client_hello.h \
	runtime/proxy/confine.c \
	runtime/proxy/confine.h \
	runtime/proxy/connection.c \
	runtime/proxy/connection.h \
	runtime/proxy/dns_message.c \
	runtime/proxy/dns_message.h \
	runtime/proxy/flow.c \
	runtime/proxy/flow.h \
	runtime/proxy/http_request.c \
	runtime/proxy/http_request.h \
	runtime/proxy/outcome.c \
	runtime/proxy/outcome.h \
	runtime/proxy/proxy.c \
	runtime/proxy/proxy.h \
	runtime/proxy/reach.c \
	runtime/proxy/reach.h \
	runtime/proxy/serve.c \
	runtime/proxy/serve.h

folder_docs += runtime/proxy/README.md

# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""What a user changes in each example server of Boost to make it upgradable.

An edit is (kind, mark, text). The mark is in one line of the file only, or it is (mark, which of the lines that
have it). `before` and `after` add the text there, `replace` puts it in the place of that line, `change` in the
place of the mark.
"""

import os

OURS = os.path.dirname(os.path.abspath(__file__))
INCLUDE = "#include <graceful/upgrader.hpp>"


def upgrader(context, name="up"):
    return f'graceful::upgrader {name}{{{context}, {{.control_path = std::getenv("CONTROL")}}}};'


# A class with an io_context and an acceptor, which both live as long as the program.
ASIO_HTTP = {
    "server.hpp": [
        ("after", "<boost/asio.hpp>", INCLUDE),
        ("after", "io_context io_context_;", upgrader("io_context_", "up_")),
    ],
    "server.cpp": [
        ("replace", "acceptor_.bind(", 'up_.listen(acceptor_, "http", endpoint);'),
        ("replace", "acceptor_.listen(", "up_.ready();"),
    ],
}

# A class whose acceptor is bound in the constructor; main makes it.
def constructed_bound(parameter, endpoint, made_with):
    return [
        ("after", "<boost/asio.hpp>", INCLUDE),
        ("change", parameter + ")", parameter + ", graceful::upgrader& up)"),
        ("change", f"acceptor_(io_context, {endpoint})", "acceptor_(io_context)"),
        ("before", ("do_accept();", 1), f'up.listen(acceptor_, "main", {endpoint});'),
        ("after", "io_context io_context;", upgrader("io_context")),
        ("change", made_with + ")", made_with + ", up)"),
        ("before", "io_context.run()", "up.ready();"),
    ]


# Beast's listener: its constructor opens, sets options, binds and listens.
def beast():
    return [
        ("before", "<boost/beast/core.hpp>", INCLUDE),
        ("after", "endpoint endpoint,", "graceful::upgrader& up,"),
        ("replace", "acceptor_.bind(", 'up.listen(acceptor_, "http", endpoint);'),
        ("after", "ioc{threads}", upgrader("ioc")),
        ("after", "endpoint{address, port},", "up,"),
        ("before", "// Run the I/O service on", "up.ready();"),
    ]


# Servers that wait for signals take longest, because each process lingers. They are tested first.
SERVERS = {
    "asio_http_server": {
        "directory": "asio/example/cpp11/http/server",
        "edits": ASIO_HTTP,
    },
    "asio_http_server3": {
        "directory": "asio/example/cpp03/http/server3",
        "edits": ASIO_HTTP,
    },
    "beast_advanced": {
        "directory": "beast/example/advanced/server",
        "edits": {"advanced_server.cpp": beast()},
    },
    "asio_coroutine_echo": {
        "directory": "asio/example/cpp20/coroutines",
        "files": ["echo_server.cpp"],
        "edits": {
            "echo_server.cpp": [
                ("after", "<boost/asio/write.hpp>", INCLUDE),
                ("change", "> listener()", "> listener(graceful::upgrader& up)"),
                (
                    "replace",
                    "tcp::acceptor acceptor(",
                    'tcp::acceptor acceptor(executor);\nup.listen(acceptor, "echo", {tcp::v4(), 0});',
                ),
                ("after", "io_context io_context(1)", upgrader("io_context")),
                ("change", ", listener()", ", listener(up)"),
                ("before", "io_context.run()", "up.ready();"),
            ]
        },
    },
    # The acceptor moves into the coroutine that accepts.
    "asio_coroutine_chat": {
        "directory": "asio/example/cpp20/coroutines",
        "files": ["chat_server.cpp"],
        "edits": {
            "chat_server.cpp": [
                ("after", "<boost/asio/write.hpp>", INCLUDE),
                ("after", "io_context io_context(1)", upgrader("io_context")),
                (
                    "before",
                    "co_spawn(io_context,",
                    'tcp::acceptor acceptor(io_context);\nup.listen(acceptor, "chat", {tcp::v4(), port});',
                ),
                ("change", "tcp::acceptor(io_context, {tcp::v4(), port})", "std::move(acceptor)"),
                ("before", "io_context.run()", "up.ready();"),
            ]
        },
    },
    "asio_chat": {
        "directory": "asio/example/cpp11/chat",
        "files": ["chat_message.hpp", "chat_server.cpp"],
        "edits": {
            "chat_server.cpp": constructed_bound("endpoint& endpoint", "endpoint", "back(io_context, endpoint")
        },
    },
    "asio_async_echo": {
        "directory": "asio/example/cpp11/echo",
        "files": ["async_tcp_echo_server.cpp"],
        "edits": {
            "async_tcp_echo_server.cpp": constructed_bound(
                "short port", "tcp::endpoint(tcp::v4(), port)", "server s(io_context, std::atoi(argv[1])"
            )
        },
    },
    "asio_blocking_echo": {
        "directory": "asio/example/cpp11/echo",
        "files": ["blocking_tcp_echo_server.cpp"],
        "edits": {
            "blocking_tcp_echo_server.cpp": [
                ("after", "<boost/asio.hpp>", INCLUDE),
                (
                    "replace",
                    "tcp::acceptor a(",
                    upgrader("io_context")
                    + "\ntcp::acceptor a(io_context);"
                    + '\nup.listen(a, "echo", tcp::endpoint(tcp::v4(), port));'
                    + "\nup.ready();",
                ),
            ]
        },
    },
    "beast_http_async": {
        "directory": "beast/example/http/server/async",
        "edits": {"http_server_async.cpp": beast()},
    },
    "beast_http_sync": {
        "directory": "beast/example/http/server/sync",
        "edits": {
            "http_server_sync.cpp": [
                ("before", "<boost/beast/core.hpp>", INCLUDE),
                (
                    "replace",
                    "tcp::acceptor acceptor{",
                    upgrader("ioc")
                    + "\ntcp::acceptor acceptor{ioc};"
                    + '\nup.listen(acceptor, "http", {address, port});'
                    + "\nup.ready();",
                ),
            ]
        },
    },
    "beast_https_async": {
        "directory": "beast/example/http/server/async-ssl",
        "edits": {"http_server_async_ssl.cpp": beast()},
    },
    "beast_websocket_async": {
        "directory": "beast/example/websocket/server/async",
        "edits": {
            "websocket_server_async.cpp": [
                ("before", "<boost/beast/core.hpp>", INCLUDE),
                ("change", "tcp::endpoint endpoint)", "tcp::endpoint endpoint, graceful::upgrader& up)"),
                ("replace", "acceptor_.bind(", 'up.listen(acceptor_, "websocket", endpoint);'),
                ("after", "ioc{threads}", upgrader("ioc")),
                ("change", "tcp::endpoint{address, port})", "tcp::endpoint{address, port}, up)"),
                ("before", "// Run the I/O service on", "up.ready();"),
            ]
        },
    },
    "beast_websocket_awaitable": {
        "directory": "beast/example/websocket/server/awaitable",
        "edits": {
            "websocket_server_awaitable.cpp": [
                ("before", "<boost/beast/core.hpp>", INCLUDE),
                ("change", "tcp::endpoint endpoint)", "tcp::endpoint endpoint, graceful::upgrader& up)"),
                ("replace", "acceptor.bind(", 'up.listen(acceptor, "websocket", endpoint);'),
                ("after", "io_context ioc(threads)", upgrader("ioc")),
                ("change", "do_listen(tcp::endpoint{address, port})", "do_listen(tcp::endpoint{address, port}, up)"),
                ("before", "// Run the I/O service on", "up.ready();"),
            ]
        },
    },
    # WebSocket++ binds by itself, to any port here, and before that calls a hook with the
    # acceptor. Its accept loop starts only after it has bound.
    "websocketpp_echo": {
        "directory": os.path.join(OURS, "websocketpp"),
        "edits": {
            "echo_server.cpp": [
                ("before", "<websocketpp/config/asio_no_tls.hpp>", '#include "websocketpp_glue.hpp"'),
                (
                    "replace",
                    "echo.listen(9002)",
                    "upgrader_glue up{echo.get_io_service()};\n"
                    "std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor;\n"
                    "echo.set_tcp_pre_bind_handler([&](auto own) { acceptor = own; return std::error_code{}; });\n"
                    "echo.listen(boost::asio::ip::tcp::v4(), 0);\n"
                    "up.listen(*acceptor, {boost::asio::ip::tcp::v4(), 0});\n"
                    "up.ready();",
                ),
            ]
        },
    },
}

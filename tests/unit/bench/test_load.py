"""The load client counts every answer, however its bytes arrive, and asks again only when it was answered."""

import asyncio

from bench.load import Load, run

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello"


async def test_answers_are_counted_by_status_and_never_pipelined() -> None:
    open_requests: dict[object, int] = {}
    worst = answered = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal worst, answered
        while await reader.read(len(REQUEST)):
            open_requests[writer] = open_requests.get(writer, 0) + 1
            worst = max(worst, open_requests[writer])
            for piece in (ANSWER[:30], ANSWER[30:45], ANSWER[45:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            open_requests[writer] -= 1
            answered += 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answers = await run(Load("127.0.0.1", port, 4, 0.2, [REQUEST]))
    assert answers.by_status == {201: answered}
    assert answered >= 4
    assert worst == 1
    assert 0 < answers.p50_ms <= answers.p99_ms

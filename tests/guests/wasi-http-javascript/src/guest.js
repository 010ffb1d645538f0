// Answers requests in JavaScript: `/`, `/echo`, `/stream`, and nothing else.

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const url = new URL(request.url);
  switch (url.pathname) {
    case '/':
      return new Response('hello', { headers: { 'content-type': 'text/plain' } });
    case '/echo': {
      const type = request.headers.get('content-type') ?? 'text/plain';
      return new Response(await request.arrayBuffer(), { headers: { 'content-type': type } });
    }
    case '/stream': {
      const encoder = new TextEncoder();
      let line = 0;
      const stream = new ReadableStream({
        pull(controller) {
          controller.enqueue(encoder.encode(`line ${line}\n`));
          line += 1;
          if (line === 10) controller.close();
        },
      });
      return new Response(stream);
    }
    case '/trap':
      throw new Error('on purpose');
    default:
      return new Response('not found', { status: 404 });
  }
}

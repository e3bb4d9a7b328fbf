/** A program that has the server inside it, beside anything else that it does. */
import { once } from 'node:events';
import { type ServeOptions, serve } from 'forebay';

const options: ServeOptions = {
  port: Number(process.env.PORT ?? 3000),
  adminPort: Number(process.env.ADMIN_PORT ?? 3001),
  drainRate: 60,
  handler: new URL('./handler.js', import.meta.url),
};

const server = await serve(options);
console.log(`orders on ${server.url}, live page on ${server.adminUrl}`);

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), server.closed]);
await server.close();

/** Floor of a process start: imports the packages that the container program imports, and listens. Bundled and with a
 * compile cache, as the program itself. */
import express from 'express';
import { LRUCache } from 'lru-cache';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'undici';
import { WebSocketServer } from 'ws';
import { z } from 'zod';

const used = [LRUCache, DatabaseSync, Client, WebSocketServer, z.strictObject];
createServer(express()).listen(0, '127.0.0.1', () => console.log(`listening ${used.length}`));
process.once('SIGTERM', () => process.exit(0));

// Loaded before the container program of a test: its clock is ahead of the machine's by what LEAP_FILE says, in ms, now.
const { readFileSync } = require('node:fs');

let leapMs = 0;
const read = () => {
  leapMs = Number(readFileSync(process.env.LEAP_FILE, 'utf8'));
};
read();
setInterval(read, 20).unref();
const realNow = Date.now;
Date.now = () => realNow() + leapMs;

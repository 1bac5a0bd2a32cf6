// The clock on the home page: what /events sends, as it comes.
//
// A server without the demo's routes answers 404 to it. Then there is no clock, and nothing is asked again.
"use strict";

const clock = document.getElementById("clock");
const events = new EventSource("/events");
events.onmessage = (event) => {
  clock.textContent = event.data;
  clock.parentElement.hidden = false;
};

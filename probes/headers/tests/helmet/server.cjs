// Helmet with its defaults. `?drop=NAME` takes one header off again, `?powered` puts one back.
const express = require("express");
const helmet = require("helmet");

const app = express();
app.use(helmet());
app.use((request, response, next) => {
  if (request.query.drop) response.removeHeader(request.query.drop);
  if ("powered" in request.query) response.setHeader("X-Powered-By", "Express");
  next();
});
app.get("/", (_, response) => response.type("html").send("<!doctype html><title>shop</title>"));
app.get("/fail", () => {
  throw new Error("on purpose");
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
// The test closes our standard input when it ends, however it ends.
process.stdin.resume().on("end", () => process.exit(0));

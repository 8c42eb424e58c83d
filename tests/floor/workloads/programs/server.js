// A server and its clients, threads, and processes.
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const { execFile, fork } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const util = require("util");

const get = (port, path) =>
	new Promise((resolve, reject) => {
		http.get({ host: "127.0.0.1", port, path }, (answer) => {
			let text = "";
			answer.on("data", (data) => (text += data));
			answer.on("end", () => resolve(text));
		}).on("error", reject);
	});

const thread = (number) =>
	new Promise((resolve, reject) => {
		const worker = new Worker(__filename, { workerData: number });
		worker.on("message", resolve);
		worker.on("error", reject);
	});

const main = async () => {
	const server = http.createServer((request, answer) => answer.end(`asked for ${request.url}`));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const answers = await Promise.all([...Array(50).keys()].map((number) => get(server.address().port, `/${number}`)));
	console.log("http", answers.length, answers[49]);
	server.close();
	console.log("threads", (await Promise.all([1, 2, 3, 4].map(thread))).join(" "));
	console.log("process", (await util.promisify(execFile)("sh", ["-c", "echo $((6 * 7))"])).stdout.trim());
	const child = fork(__filename, ["child"]);
	console.log("fork", await new Promise((resolve) => child.on("message", resolve)));
	await fs.promises.writeFile("/volume/written", "by node");
	console.log("file", await fs.promises.readFile("/volume/written", "utf8"));
	console.log("digest", crypto.pbkdf2Sync("word", "salt", 1000, 8, "sha256").toString("hex").length);
};

if (process.argv[2] === "child") {
	process.send(`child of ${process.ppid > 0}`, () => process.disconnect());
} else if (isMainThread) {
	main();
} else {
	parentPort.postMessage(workerData * workerData);
}

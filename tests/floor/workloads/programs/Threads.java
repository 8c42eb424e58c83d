// Threads, files, processes and a socket: compiled in memory by the java that runs it.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

public class Threads {
	static void threads() throws Exception {
		var pool = Executors.newFixedThreadPool(16);
		var results = pool.invokeAll(IntStream.range(0, 100).<java.util.concurrent.Callable<Integer>>mapToObj(n -> () -> n * n).toList());
		int sum = 0;

		for (var result : results) {
			sum += result.get();
		}
		pool.shutdown();
		System.out.println("threads " + sum);
		System.out.println("parallel " + IntStream.range(0, 1000000).parallel().mapToLong(n -> n).sum());
	}

	static void files() throws Exception {
		var path = Path.of("/volume/java.bin");

		try (var channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
			channel.write(ByteBuffer.wrap("from java".getBytes()));
			channel.map(FileChannel.MapMode.READ_WRITE, 0, 4096).put(0, (byte) 'F');
			channel.force(true);
		}
		System.out.println("file " + Files.readString(path).substring(0, 9));
	}

	static void process() throws Exception {
		var child = new ProcessBuilder("sh", "-c", "echo $((6 * 7))").start();

		System.out.println("process " + new BufferedReader(new InputStreamReader(child.getInputStream())).readLine() + " " + child.waitFor());
	}

	static void sockets() throws Exception {
		try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			var thread = new Thread(() -> {
				try (var client = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
					client.getOutputStream().write("hello\n".getBytes());
				} catch (Exception e) {
					System.out.println(e);
				}
			});
			thread.start();
			try (var peer = server.accept()) {
				System.out.println("socket " + new BufferedReader(new InputStreamReader(peer.getInputStream())).readLine());
			}
			thread.join();
		}
	}

	public static void main(String[] args) throws Exception {
		threads();
		files();
		process();
		sockets();
		System.out.println("processors " + (Runtime.getRuntime().availableProcessors() > 0));
	}
}

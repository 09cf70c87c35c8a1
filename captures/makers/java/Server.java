import java.io.*;
import java.security.KeyStore;
import java.util.*;
import javax.net.ssl.*;

/** SSLServerSocket that echoes, one connection after another. Arguments: port= keys= trust= protocol= ask=none|want|need */
public class Server {
    static KeyStore store(String path) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(path)) {
            store.load(in, "changeit".toCharArray());
        }
        return store;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) options.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store(options.get("keys")), "changeit".toCharArray());
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store(options.get("trust")));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLServerSocket listener = (SSLServerSocket)
                context.getServerSocketFactory().createServerSocket(Integer.parseInt(options.get("port")));
        if (options.containsKey("protocol")) listener.setEnabledProtocols(options.get("protocol").split(","));
        listener.setNeedClientAuth("need".equals(options.get("ask")));
        if ("want".equals(options.get("ask"))) listener.setWantClientAuth(true);
        while (true) {
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                socket.startHandshake();
                byte[] buffer = new byte[2000];
                int read = socket.getInputStream().read(buffer);
                if (read > 0) socket.getOutputStream().write(buffer, 0, read);
                socket.getInputStream().read(buffer);
            } catch (IOException problem) {
                System.err.println(problem);
            }
        }
    }
}

import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.*;
import javax.net.ssl.*;

/** SSLSocket client: handshake, one line, its echo, close. Arguments: address= port= trust= keys= protocol= name= verify= */
public class Client {
    static KeyStore store(String path) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(path)) {
            store.load(in, "changeit".toCharArray());
        }
        return store;
    }

    static SSLContext context(Map<String, String> options) throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store(options.get("trust")));
        KeyManager[] keys = null;
        if (options.containsKey("keys")) {
            KeyManagerFactory factory = KeyManagerFactory.getInstance("NewSunX509");
            factory.init(new KeyStoreBuilder(store(options.get("keys"))).parameters());
            keys = factory.getKeyManagers();
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, trust.getTrustManagers(), null);
        return context;
    }

    record KeyStoreBuilder(KeyStore store) {
        KeyStoreBuilderParameters parameters() {
            return new KeyStoreBuilderParameters(
                    KeyStore.Builder.newInstance(store, new KeyStore.PasswordProtection("changeit".toCharArray())));
        }
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) options.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
        SSLSocketFactory factory = context(options).getSocketFactory();
        Socket plain = new Socket(options.get("address"), Integer.parseInt(options.get("port")));
        String name = options.getOrDefault("name", "sip.example.com");
        try (SSLSocket socket = (SSLSocket) factory.createSocket(plain, name, plain.getPort(), true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(name)));
            if (options.containsKey("verify")) parameters.setEndpointIdentificationAlgorithm(options.get("verify"));
            if (options.containsKey("protocol")) parameters.setProtocols(options.get("protocol").split(","));
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            socket.getOutputStream().write("OPTIONS sip:example.com SIP/2.0\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().read(new byte[200]);
        } catch (IOException problem) {
            System.err.println(problem);
        }
    }
}

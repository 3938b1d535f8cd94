import java.net.InetAddress;
import java.net.UnknownHostException;

/** Looks names up as any program in Java does. */
public class Lookup {
    public static void main(String[] names) {
        for (String name : names) {
            try {
                System.out.println(name + " " + InetAddress.getAllByName(name).length);
            } catch (UnknownHostException e) {
                System.out.println(name + " 0");
            }
        }
    }
}

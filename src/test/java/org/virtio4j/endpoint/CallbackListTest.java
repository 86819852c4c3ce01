// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.agrona.concurrent.IdleStrategy;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.device.transport.DeviceLifecycle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.machine.Machine;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.grace.StallListener;

/**
 * Every method that an embedder can implement and hand in is in the list of {@link Callback}, or named here with the
 * test that has it or the reason why it needs none. They are found in the classes themselves: the public interfaces,
 * and what public constructors and methods take.
 */
class CallbackListTest {

    /** One class of each package that an embedder uses, the guest's side and the vfio-user server apart. */
    private static final List<Class<?>> PACKAGES = List.of(StallListener.class, GuestMemory.class, Translator.class,
            DmaSpace.class, DeviceQueue.class, VirtioDevice.class, DeviceLifecycle.class, IommuListener.class,
            VirtioIommu.class, VirtioBlock.class, VirtioMmioDevice.class, VirtioPciFunction.class, Machine.class);

    /** What these packages take from the JDK or a library without calling code of the embedder's. */
    private static final Set<String> VALUES =
            Set.of("MemorySegment", "Path", "List", "Set", "Collection", "AutoCloseable");

    private static final String SET_UP = "ThrowingSetUpTest";
    private static final String TRANSPORT = "ThrowingSignalsTest";
    private static final String OWN = "OwnDeviceTest";
    private static final String CONSOLE = "ConsoleTest";
    private static final String IDLE = "not called by a worker";
    private static final String JOIN = "called by build() or join(), and what it throws comes out there";
    private static final String OURS = "implemented here, and called by the embedder";

    private static final Map<String, String> ELSEWHERE = Map.ofEntries(
            Map.entry("VirtioDevice.isPolled", SET_UP), Map.entry("VirtioDevice.poll", "ThrowingPollTest"),
            Map.entry("VirtioDevice.owner", SET_UP), Map.entry("VirtioDevice.info", SET_UP),
            Map.entry("VirtioDevice.offered", SET_UP),
            Map.entry("QueueWork.batch", SET_UP), Map.entry("QueueWork.answersAtOnce", SET_UP),
            Map.entry("Supplier.get", SET_UP), Map.entry("ChainHandler.serve", OWN),
            Map.entry("Consumer.accept", OWN), Map.entry("IntConsumer.accept", OWN),
            Map.entry("QueueWork.takeAgain", "calls take, which is in the list"),
            Map.entry("DeviceListener.resetDelayed", SET_UP),
            Map.entry("TransportSignals.queueInterrupt", TRANSPORT),
            Map.entry("TransportSignals.configInterrupt", TRANSPORT),
            Map.entry("TransportSignals.queueEnded", TRANSPORT), Map.entry("TransportSignals.updateLine", TRANSPORT),
            Map.entry("TransportSignals.starting", TRANSPORT), Map.entry("TransportSignals.deviceReset", TRANSPORT),
            Map.entry("BooleanSupplier.getAsBoolean", TRANSPORT),
            Map.entry("IommuListener.recordsTraffic", "called by build(), and what it throws comes out there"),
            Map.entry("MappingListener.pageSizeMask", JOIN), Map.entry("MappingListener.canSplit", JOIN),
            Map.entry("MappingListener.holdsOneDomain", JOIN),
            Map.entry("MappingListener.expelled", "MirrorFaultTest"),
            Map.entry("Visitor.dirty", "called by the embedder's own call, and by no device"),
            Map.entry("ConsoleTerminal.write", CONSOLE), Map.entry("ConsoleTerminal.inputTaken", CONSOLE),
            Map.entry("ConsoleTerminal.closed", "called by the embedder's own call of close"),
            Map.entry("IdleStrategy.reset", IDLE), Map.entry("IdleStrategy.alias", IDLE),
            Map.entry("Holder.finishEnd", "implemented here, and called by who claims the device next"),
            Map.entry("RegisterHandler.read", OURS), Map.entry("RegisterHandler.write", OURS),
            Map.entry("ExtentSink.extent", OURS + ", who asks a translator himself"));

    /** Whole interfaces. */
    private static final Map<String, String> INTERFACES = Map.of(
            "DeviceQueue", "a ring of ours; a device cannot bring its own",
            "ServedRequest", "ours, and shown to an IommuListener", "IommuCounters", "ours, and read by the embedder",
            "Lock", "a lock of java.util.concurrent, which does not throw");

    @Test
    void shouldKnowEveryMethodThatAnEmbedderHandsIn() throws IOException, URISyntaxException {
        Set<String> listed = Stream.concat(Arrays.stream(Callback.values()).map(callback -> callback.method),
                ELSEWHERE.keySet().stream()).collect(Collectors.toCollection(TreeSet::new));
        Set<String> missing = new TreeSet<>(found());
        missing.removeAll(listed);
        assertEquals(Set.of(), missing, "add each to Callback, or say here where it is shown to throw");
    }

    @Test
    void shouldListNothingThatIsGone() throws IOException, URISyntaxException {
        Set<String> gone = new TreeSet<>(ELSEWHERE.keySet());
        gone.removeAll(found());
        assertEquals(Set.of(), gone);
        Set<String> callbacks = Arrays.stream(Callback.values()).map(callback -> callback.method)
                .filter(method -> method.contains(".")).collect(Collectors.toCollection(TreeSet::new));
        callbacks.removeAll(found());
        assertEquals(Set.of(), callbacks);
    }

    private static Set<String> found() throws IOException, URISyntaxException {
        Set<Class<?>> interfaces = Stream.of(VirtioDevice.class, IdleStrategy.class)
                .collect(Collectors.toSet());
        for (Class<?> one : PACKAGES) {
            List<Class<?>> all = classes(one);
            assertTrue(!all.isEmpty(), () -> "no classes in the package of " + one);
            all.stream().filter(type -> type.isInterface() && !type.isSealed()).forEach(interfaces::add);
            all.forEach(type -> addParameters(type, interfaces));
        }
        Set<String> methods = new TreeSet<>();
        interfaces.stream().filter(type -> !VALUES.contains(type.getSimpleName()))
                .filter(type -> !INTERFACES.containsKey(type.getSimpleName()))
                .forEach(type -> addMethods(type, methods));
        return methods;
    }

    /** The public classes of a package, from wherever its module was built to. */
    private static List<Class<?>> classes(Class<?> one) throws IOException, URISyntaxException {
        URI source = one.getProtectionDomain().getCodeSource().getLocation().toURI();
        String folder = one.getPackageName().replace('.', '/');
        Path place = Path.of(source);
        if (Files.isDirectory(place)) {
            return classes(place.resolve(folder), one);
        }
        try (FileSystem jar = FileSystems.newFileSystem(place)) {
            return classes(jar.getPath(folder), one);
        }
    }

    private static List<Class<?>> classes(Path folder, Class<?> one) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .filter(name -> !name.endsWith("-info") && !name.endsWith("Test"))
                    .<Class<?>>map(name -> load(one, name)).filter(type -> Modifier.isPublic(type.getModifiers()))
                    .toList();
        }
    }

    private static Class<?> load(Class<?> one, String name) {
        try {
            return Class.forName(one.getPackageName() + "." + name, false, one.getClassLoader());
        } catch (ClassNotFoundException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static void addParameters(Class<?> type, Set<Class<?>> interfaces) {
        Stream.concat(Arrays.stream(type.getDeclaredConstructors()), Arrays.stream(type.getDeclaredMethods()))
                .filter(member -> Modifier.isPublic(member.getModifiers()) && !member.isSynthetic())
                .map(Executable::getParameterTypes).flatMap(Arrays::stream).filter(Class::isInterface)
                .forEach(interfaces::add);
    }

    private static void addMethods(Class<?> type, Set<String> methods) {
        for (Method method : type.getMethods()) {
            boolean own = !Modifier.isStatic(method.getModifiers()) && !isOfTheJdk(type, method);
            if (own) {
                methods.add(type.getSimpleName() + "." + method.getName());
            }
        }
    }

    /** The JDK's interfaces count with the one method that must be written. */
    private static boolean isOfTheJdk(Class<?> type, Method method) {
        return type.getName().startsWith("java.") && !Modifier.isAbstract(method.getModifiers());
    }
}

package io.snapfill

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** Servers beside the tests, until it is closed: `snapfill-fakes`, as `cargo xtask kotlin` builds it. */
class Fakes(vararg words: String) : AutoCloseable {
    private val process =
        ProcessBuilder(BUILT.resolve("snapfill-fakes").toString(), *words).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    /** Where things are. */
    val places: JsonObject = JsonParser.parseString(process.inputReader().readLine()).asJsonObject

    override fun close() {
        process.outputWriter().close()
        check(process.waitFor(60, TimeUnit.SECONDS)) { "the fakes did not end" }
    }

    companion object {
        /** Where programs are that were built, and the library that the tests load. */
        val BUILT: Path = Path.of(System.getProperty("jna.library.path"))
    }
}

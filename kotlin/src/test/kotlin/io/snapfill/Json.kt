package io.snapfill

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonPrimitive
import java.lang.reflect.Modifier
import java.nio.file.Path

/** What a call gave, as JSON with the names of fields that every language has. */
fun json(value: Any?): JsonElement = when (value) {
    null, Unit -> JsonNull.INSTANCE
    is JsonElement -> value
    is String -> JsonPrimitive(value)
    is Path -> JsonPrimitive(value.toString())
    is Boolean -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is UInt, is ULong, is UByte -> JsonPrimitive(value.toString().toLong())
    is ByteArray -> JsonPrimitive(value.decodeToString())
    is List<*> -> JsonArray().apply { value.forEach { add(json(it)) } }
    is Map<*, *> -> JsonObject().apply { value.forEach { (name, inner) -> add(name.toString(), json(inner)) } }
    else -> fields(value)
}

private fun fields(data: Any): JsonObject {
    val fields = JsonObject()
    for (field in data.javaClass.declaredFields.filterNot { Modifier.isStatic(it.modifiers) }) {
        field.isAccessible = true
        fields.add(words(field.name), json(field.get(data)))
    }
    return fields
}

/** `bytesDone` as `bytes_done`, and `ItemStarted` as `item_started`. */
fun words(name: String): String = name.replace(Regex("(?<=.)(?=[A-Z])"), "_").lowercase()

/** Whether a result has what is expected of it. */
fun holds(actual: JsonElement?, expected: JsonElement): Boolean = when {
    expected is JsonObject && expected.keySet() == setOf("at_least") ->
        actual is JsonPrimitive && actual.asLong >= expected["at_least"].asLong
    expected is JsonObject && expected.keySet() == setOf("length") ->
        actual is JsonArray && actual.size() == expected["length"].asInt
    expected is JsonObject ->
        actual is JsonObject && expected.entrySet().all { (name, inner) -> holds(actual[name], inner) }
    expected is JsonArray ->
        actual is JsonArray && expected.all { inner -> actual.any { holds(it, inner) } }
    else -> actual == expected
}

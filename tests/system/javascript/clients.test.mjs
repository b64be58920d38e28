// The ecosystem's JavaScript clients, unmodified, against the running service at API_URL.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { PostgrestClient } from "@supabase/postgrest-js";
import { createClient } from "@supabase/supabase-js";

const { API_URL, SERVICE_KEY, ANON_KEY } = process.env;

const libraries = {
  "postgrest-js": (key) => new PostgrestClient(`${API_URL}/rest/v1`, { headers: { apikey: key } }),
  "supabase-js": (key) => createClient(API_URL, key, { auth: { persistSession: false } }),
};

/** Return the rows of an answer that must not be an error. */
async function rows(query) {
  const { data, error } = await query;
  assert.equal(error, null);
  return data;
}

async function ids(query) {
  return (await rows(query.order("id"))).map((row) => row.id);
}

for (const [name, connect] of Object.entries(libraries)) {
  describe(name, () => {
    const client = connect(SERVICE_KEY);
    const anon = connect(ANON_KEY);
    const films = () => client.from("films").select("id");
    const filters = [
      ["eq", (query) => query.eq("title", 'Lost, "found"'), [5]],
      ["neq", (query) => query.neq("year", 1927), [2, 3, 4, 5]],
      ["gt", (query) => query.gt("year", 1962), [4, 5]],
      ["gte", (query) => query.gte("year", 1962), [3, 4, 5]],
      ["lt", (query) => query.lt("rating", 7.8), [4]],
      ["lte", (query) => query.lte("rating", 7.8), [3, 4]],
      ["like", (query) => query.like("title", "%o%"), [1, 3, 4, 5]],
      ["likeAllOf", (query) => query.likeAllOf("title", ["%e%", "%o%"]), [1, 3]],
      ["likeAnyOf", (query) => query.likeAnyOf("title", ["M", "V%"]), [2, 4]],
      ["ilike", (query) => query.ilike("title", "m%"), [1, 2]],
      ["ilikeAnyOf", (query) => query.ilikeAnyOf("title", ["vag%", "lost%"]), [4, 5]],
      ["is null", (query) => query.is("rating", null), [5]],
      ["is true", (query) => query.is("is_color", true), [4, 5]],
      ["in", (query) => query.in("title", ["M", 'Lost, \\"found\\"', "(x)"]), [2, 5]],
      ["contains", (query) => query.contains("tags", ["city", "silent"]), [1]],
      ["contains JSON", (query) => query.contains("details", { reels: 5 }), [4]],
      ["containedBy", (query) => query.containedBy("tags", ["city", "road"]), [3, 4, 5]],
      ["overlaps", (query) => query.overlaps("tags", ["road", "sound"]), [2, 4]],
      ["rangeGt", (query) => query.rangeGt("shown", "[1930,1935)"), [3, 4]],
      ["rangeGte", (query) => query.rangeGte("shown", "[1931,1935)"), [2, 3, 4]],
      ["rangeLt", (query) => query.rangeLt("shown", "[1931,1935)"), [1]],
      ["rangeLte", (query) => query.rangeLte("shown", "[1927,1934)"), [1, 2]],
      ["rangeAdjacent", (query) => query.rangeAdjacent("shown", "[1930,1931)"), [1, 2]],
      ["textSearch", (query) => query.textSearch("plot", "city & machines"), [1]],
      ["textSearch plain", (query) => query.textSearch("plot", "wanderer found", { type: "plain" }), [4]],
      ["textSearch phrase", (query) => query.textSearch("plot", "waits and walks", { type: "phrase" }), [3]],
      ["textSearch websearch", (query) => query.textSearch("plot", "city -machines", { type: "websearch", config: "english" }), [2]],
      ["match", (query) => query.match({ year: 1931, director_id: 1 }), [2]],
      ["not", (query) => query.not("director_id", "eq", 1), [3, 4]],
      ["or", (query) => query.or("year.eq.1927,and(year.gt.1980,rating.is.null)"), [1, 5]],
      ["filter", (query) => query.filter("details->>reels", "eq", "11"), [2]],
    ];
    for (const [filter, narrow, expected] of filters) {
      test(`filter ${filter}`, async () => assert.deepEqual(await ids(narrow(films())), expected));
    }

    test("order, limit and range", async () => {
      const query = client.from("films").select("id").order("rating", { ascending: false, nullsFirst: true });
      assert.deepEqual(await rows(query.order("id").range(1, 3)), [{ id: 1 }, { id: 2 }, { id: 3 }]);
      assert.deepEqual(await ids(films().limit(2)), [1, 2]);
    });

    test("counts", async () => {
      const page = await client.from("films").select("*", { count: "exact" }).limit(2);
      assert.deepEqual([page.data.length, page.count, page.status], [2, 5, 206]);
      const head = await client.from("films").select("*", { count: "exact", head: true });
      assert.deepEqual([head.data, head.count, head.error], [null, 5, null]);
    });

    test("single rows", async () => {
      assert.deepEqual(await rows(client.from("films").select("id").eq("id", 3).single()), { id: 3 });
      assert.equal(await rows(films().eq("id", 99).maybeSingle()), null);
      const { error, status } = await films().single();
      assert.deepEqual([error.code, status], ["PGRST116", 406]);
    });

    test("CSV", async () => {
      const query = client.from("films").select("id,title").eq("id", 5).csv();
      assert.equal(await rows(query), 'id,title\n5,"Lost, ""found"""');
    });

    test("embedding", async () => {
      const query = client.from("directors").select("name,films(title,castings(part,actors(name)))");
      assert.deepEqual(await rows(query.eq("films.year", 1927).eq("id", 1).single()), {
        name: "Lang",
        films: [{ title: "Metropolis", castings: [{ part: "Maria", actors: { name: "Helm" } }] }],
      });
      const inner = client.from("films").select("id,actors!inner(name)").eq("actors.name", "Lorre");
      assert.deepEqual(await rows(inner), [{ id: 2, actors: [{ name: "Lorre" }] }]);
      const ordered = client.from("directors").select("films(id)").eq("id", 2);
      const newest = ordered.order("year", { referencedTable: "films", ascending: false });
      assert.deepEqual(await rows(newest.limit(1, { referencedTable: "films" })), [{ films: [{ id: 4 }] }]);
    });

    test("insert, bulk, update, upsert and delete", async () => {
      const notes = () => client.from("notes");
      after(() => notes().delete().gte("id", 10));
      assert.deepEqual(await rows(notes().insert({ id: 10, text: "ten" }).select()), [{ id: 10, text: "ten", stars: 3 }]);
      const bulk = notes().insert([{ id: 11, stars: 5 }, { id: 12 }], { defaultToNull: false }).select("stars");
      assert.deepEqual(await rows(bulk), [{ stars: 5 }, { stars: 3 }]);
      assert.deepEqual(await rows(notes().update({ text: "x" }).eq("id", 10).select("text")), [{ text: "x" }]);
      assert.deepEqual(await rows(notes().upsert({ id: 10, text: "y" }).select("text")), [{ text: "y" }]);
      assert.deepEqual(await rows(notes().upsert({ id: 10, text: "z" }, { ignoreDuplicates: true }).select()), []);
      const gone = await notes().delete({ count: "exact" }).gte("id", 10);
      assert.deepEqual([gone.error, gone.count, gone.status], [null, 3, 204]);
      const many = await client.from("films").update({ plot: null }).gt("id", 0).maxAffected(2);
      assert.equal(many.error.code, "PGRST124");
    });

    test("functions", async () => {
      assert.equal(await rows(client.rpc("add", { a: 1, b: 2 })), 3);
      assert.equal(await rows(client.rpc("add", { a: 1 }, { get: true })), 2);
      assert.deepEqual(await ids(client.rpc("films_since", { since: 1962 }).select("id").limit(2)), [3, 4]);
    });

    test("errors", async () => {
      const cases = [
        ["PGRST205", 404, client.from("nowhere").select()],
        ["42703", 400, client.from("films").select("nothing")],
        ["23505", 409, client.from("notes").insert({ id: 1 })],
        ["23514", 400, client.from("notes").insert({ id: 40, stars: 9 })],
        ["22P02", 400, client.from("films").select().eq("year", "soon")],
        ["PGRST202", 404, client.rpc("nothing")],
        ["PT418", 418, client.rpc("fail")],
        ["PGRST106", 406, client.schema("pg_catalog").from("pg_authid").select()],
      ];
      for (const [code, expected, query] of cases) {
        const { error, status } = await query;
        assert.deepEqual([error.code, status], [code, expected]);
        assert.ok(error.message);
      }
    });

    test("anon reads and does not write", async () => {
      assert.equal((await rows(anon.from("films").select())).length, 5);
      assert.ok((await anon.from("notes").insert({ id: 50 })).error);
      assert.ok((await anon.from("notes").delete().eq("id", 1)).error);
      assert.equal((await rows(client.from("notes").select().eq("id", 1))).length, 1);
    });
  });
}

"""Columns that nobody spells out: names made of them, keys of associations, fields of forms, classes tied elsewhere."""

# ruff: noqa: E501 -- a source file reads best as one string

from __future__ import annotations

import time

import pytest

from legacy_ref_scan.mentions import Names, names_of
from legacy_ref_scan.model import Gap, Mapping, Target
from tests.languages.memory import scan

TITLES = names_of([Target("public", "users", "title")], [])
PLANS = names_of([Target("public", "users", "plan_id")], [])


def found(files: dict[str, str | bytes], names: Names) -> list[str]:
    """Reasons of the gaps and libraries of the mappings, in order."""
    items = scan(files, "other", names)
    return [item.reason if isinstance(item, Gap) else item.library for item in items if isinstance(item, Gap | Mapping)]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app/models/user.rb", "class User < ApplicationRecord\n  x if plan_id_was == 1\nend\n", ["model-attribute"]),
        ("app/models/user.rb", "class User < ApplicationRecord\n  after_save :x, if: :saved_change_to_plan_id?\nend\n", ["model-attribute"]),
        ("app/models/job.rb", "class Job < ApplicationRecord\n  x if plan_id_was == 1\nend\n", []),
        ("a.rb", "x if current_user.saved_change_to_plan_id?\n", ["row-attribute"]),
        ("a.rb", "x if job.saved_change_to_plan_id?\n", []),
        ("a.rb", "User.find_by_name_and_plan_id(1, 2)\n", ["model-query"]),
        ("a.rb", "Job.find_by_plan_id(1)\n", []),
        ("a.php", "<?php User::wherePlanId(1);\n", ["model-query"]),
        ("UserRepository.java", "interface UserRepository extends JpaRepository<User, Long> {\n  User findByNameAndPlanId(String n, long p);\n}\n",
         ["model-query"]),
        ("JobRepository.java", "interface JobRepository extends JpaRepository<Job, Long> {\n  Job findByPlanId(long p);\n}\n", []),
    ],
)  # fmt: skip
def test_names_made_of_a_column(path: str, text: str, expected: list[str]) -> None:
    assert found({path: text}, PLANS) == expected


RUBY_USER = "class User < ApplicationRecord\n  {}\nend\n"
RUBY_PLAN = "class {} < ApplicationRecord\n  {}\nend\n"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app/models/user.rb", RUBY_USER.format("belongs_to :plan, optional: true"), ["association"]),
        ("app/models/user.rb", RUBY_USER.format("belongs_to :plan, foreign_key: :tariff_id"), []),
        ("app/models/user.rb", RUBY_USER.format("# belongs_to :plan"), []),
        ("app/models/job.rb", RUBY_USER.replace("User", "Job").format("belongs_to :plan"), []),
        ("app/models/plan.rb", RUBY_PLAN.format("Plan", "has_many :users"), ["association"]),
        ("app/models/plan.rb", RUBY_PLAN.format("Plan", "has_many :users, through: :seats"), []),
        ("app/models/plan.rb", RUBY_PLAN.format("Plan", "has_many :jobs"), []),
        ("app/models/team.rb", RUBY_PLAN.format("Team", "has_many :users"), []),
        ("app/models/team.rb", RUBY_PLAN.format("Team", "has_many :members, class_name: 'User', foreign_key: 'plan_id'"), ["association"]),
        ("lib/user.ex", 'schema "users" do\n  belongs_to :plan, Plan\nend\n', ["association"]),
        ("lib/plan.ex", 'schema "plans" do\n  has_many :users, User\nend\n', ["association"]),
        ("lib/job.ex", 'schema "jobs" do\n  belongs_to :plan, Plan\nend\n', []),
        ("app/Models/User.php", "<?php\nclass User extends Model\n{\n  public function plan(): BelongsTo\n  {\n    return $this->belongsTo(Plan::class);\n  }\n}\n",
         ["association"]),
        ("app/Models/Plan.php", "<?php\nclass Plan extends Model\n{\n  public function users()\n  {\n    return $this->hasMany(User::class);\n  }\n}\n",
         ["association"]),
        ("src/User.php", "<?php\n#[ORM\\Entity]\n#[ORM\\Table(name: 'users')]\nclass Account {\n  #[ORM\\ManyToOne]\n  private ?Plan $plan;\n}\n",
         ["association"]),
        ("A.java", '@Entity\n@Table(name = "users")\nclass Account {\n  @ManyToOne(fetch = FetchType.LAZY)\n  private Plan plan;\n}\n', ["association"]),
        ("A.java", '@Entity\n@Table(name = "users")\nclass Account {\n  @ManyToOne\n  @JoinColumn(name = "tariff")\n  private Plan plan;\n}\n', []),
        ("a.ts", "@Entity({ tableName: 'users' })\nclass Account {\n  @ManyToOne(() => Plan)\n  plan!: Plan\n}\n", ["association"]),
    ],
)  # fmt: skip
def test_keys_of_associations(path: str, text: str, expected: list[str]) -> None:
    assert found({path: text}, PLANS) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app/views/x/a.html.erb", "<%= form_for @user do |f| %>\n<%= f.text_field :title %>\n", ["form-field"]),
        ("app/views/x/a.html.erb", "<%= form_with(model: [:admin, current_user]) do |f| %>\n<%= f.text_area :title %>\n", ["form-field"]),
        ("app/views/x/a.html.slim", "= simple_form_for :user do |f|\n  = f.input :title\n", ["form-field"]),
        ("app/views/users/_fields.html.erb", "<%= f.hidden_field :title %>\n", ["form-field"]),
        ("app/views/shared/_fields.html.erb", "<%= f.hidden_field :title %>\n", ["form-field"]),
        ("app/views/x/a.html.erb", "<%= hidden_field :user, :title %>\n", ["form-field"]),
        ("app/views/posts/_fields.html.erb", "<%= f.hidden_field :title %>\n", []),
        ("app/views/users/a.html.erb", "<%= form_for @post, html: { x: 1 } do |f| %>\n<%= f.text_field :title %>\n", []),
        ("app/views/users/a.html.erb", "<%= form_with url: x_path do |f| %>\n<%= f.text_field :title %>\n", []),
        ("app/views/users/a.html.erb", "<%= text_field_tag :title %>\n<%= f.label :title %>\n", []),
    ],
)  # fmt: skip
def test_fields_of_forms(path: str, text: str, expected: list[str]) -> None:
    assert found({path: text, "app/models/post.rb": "class Post\nend\n"}, TITLES) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.rb", "@users.each do |u|\n  puts u.title\nend\n", ["row-attribute"]),
        ("a.rb", "u = User.find(1)\n\n\nu.update!(title: 1)\n", ["model-query"]),
        ("a.rb", "user.posts.each do |u|\n  puts u.title\nend\n", []),
        ("a.rb", "users(:ann).update_column(:title, nil)\n", ["model-query"]),
        ("a.rb", "users.where(x: 1).pluck(:title)\n", ["model-query"]),
        ("a.rb", "user.update(name: title(document))\n", []),
        ("a.rb", "post.update(title: 1)\n", []),
        ("a.rb", "create(:user, title: 'x')\n", ["model-query"]),
        ("a.rb", "create(:post, title: 'x')\n", []),
        ("a.rb", "Post.joins(:user).where(users: { title: 1 })\n", ["model-query"]),
        ("a.rb", "params.expect(user: [:email, :title])\n", ["model-query"]),
        ("a.json.jbuilder", "json.extract! user, :id, :title\n", ["model-query"]),
        ("a.json.jbuilder", "json.extract! post, :id, :title\n", []),
        ("a.php", "<?php\n$q = User::query();\n\n$q->where('title', 1);\n", ["model-query"]),
        ("a.php", "<?php\nDB::table('users')->where('title', 1)->get();\n", ["model-query"]),
        ("a.php", "<?php\nDB::table('posts')->where('title', 1)->get();\n", []),
        ("a.ts", "import knex from 'knex'\nawait knex('users').where({ title: 1 })\n", ["model-query"]),
        ("a.ts", "import knex from 'knex'\nawait knex('posts').where({ title: 1 })\n", []),
        ("a.ts", "import 'kysely'\nawait db.selectFrom('users as u').where('u.title', '=', 1)\n", ["model-query"]),
        ("a.ts", "await supabase.from('users').select('id, title')\n", ["model-query"]),
        ("a.ts", "import 'pg'\nconst a = t('users', { title: 1 })\n", []),
        ("a.ex", 'Repo.insert_all("users", [%{title: 1}])\n', ["model-query"]),
        ("a.rb", "story.user.title\n", ["row-attribute"]),
        ("a.php", "<?php\n$story->user->title;\n", ["row-attribute"]),
        ("a.rb", "x = %w[id title]\n\n\nUser.where(a: 1).select(*x)\n", ["listed-for-table"]),
        ("a.rb", "x = %w[id title]\n\n\nPost.where(a: 1).select(*x)\n", []),
        ("a.php", "<?php\nfunction a(?App\\User $u) { return $u->title; }\n", ["row-attribute"]),
        ("a.php", "<?php\nfunction a(Post $u) { return $u->title; }\n", []),
        ("a.php", "<?php\nreturn optional($user)->title;\n", ["row-attribute"]),
        ("a.ex", "insert(:user, name: 1, title: 2)\n", ["model-query"]),
        ("a.ex", "%A.User{title: 1}\n", ["model-query"]),
        ("a.ex", "%A.Post{title: 1}\n", []),
        ("a.ex", "Ecto.Changeset.change(post.user, title: now)\n", ["model-query"]),
        ("a.rs", "users::table.filter(users::title.eq(1))\n", ["qualified-name"]),
        ("a.rb", "assert user.reload.title\n", ["row-attribute"]),
        ("a.rb", "assert post.reload.title\n", []),
        ("R.java", "interface R extends JpaRepository<User, Long> {\n  User findByTitleAndName(String t, String n);\n}\n", ["model-query"]),
        ("R.java", "interface R extends JpaRepository<Post, Long> {\n  Post findByTitleAndName(String t, String n);\n}\n", []),
        ("a.rb", "DB[:users].where(title: 1)\n", ["model-query"]),
        ("a.rb", "class Post < ApplicationRecord\n  delegate :title, to: :user\nend\n", ["row-attribute"]),
        ("a.rb", "class Post < ApplicationRecord\n  delegate :title, to: :blog\nend\n", []),
        ("a.rb", "class Post < ApplicationRecord\n  belongs_to :user, counter_cache: :title\nend\n", ["association"]),
        ("a.rb", "class Post < ApplicationRecord\n  belongs_to :user, foreign_key: :title\nend\n", []),
        ("a.php", "<?php\n$q = DB::table('users');\n\n$q->where('title', 1);\n", ["model-query"]),
        ("a.ex", 'from(u in "users", where: u.title == ^x)\n', ["model-query"]),
        ("a.scala", 'quote { querySchema[Account]("users", _.t -> "title") }\n', ["model-query"]),
    ],
)  # fmt: skip
def test_rows_and_queries(path: str, text: str, expected: list[str]) -> None:
    assert found({path: text}, TITLES) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app/serializers/user_serializer.rb", "class UserSerializer < ActiveModel::Serializer\n  attributes :id, :title\nend\n", ["model-attribute"]),
        ("app/serializers/post_serializer.rb", "class PostSerializer < ActiveModel::Serializer\n  attributes :id, :title\nend\n", []),
        ("app/models/user/billing.rb", "module User::Billing\n  def x = title\nend\n", ["model-attribute"]),
        ("app/models/user.rb", "class User < ApplicationRecord\n  attr_accessor :title\nend\n", []),
        ("app/admin/users.rb", "ActiveAdmin.register User do\n  permit_params :title\nend\n", ["model-attribute"]),
        ("spec/factories/x.rb", "FactoryBot.define do\n  factory :admin, class: 'User' do\n    title { 'x' }\n  end\nend\n", ["model-attribute"]),
        ("spec/factories/x.rb", "FactoryBot.define do\n  factory :post do\n    title { 'x' }\n  end\nend\n", []),
        ("app/Http/Resources/UserResource.php", "<?php\nclass UserResource extends JsonResource\n{\n  function a() { return $this->title; }\n}\n", ["model-attribute"]),
        ("src/Account.php", "<?php\n#[ORM\\Entity]\n#[ORM\\Table(name: 'users')]\nclass Account {\n  #[ORM\\Column(name: 'title')]\n  private ?int $p;\n}\n",
         ["Eloquent or Doctrine"]),
        ("src/Account.php", '<?php\n/**\n * @ORM\\Entity\n * @ORM\\Table(name="users")\n */\nclass Account {\n  /** @ORM\\Column(name="title") */\n  private $p;\n}\n',
         ["Eloquent or Doctrine"]),
        ("src/Account.php", "<?php\n#[ORM\\Table(name: 'posts')]\nclass Account {\n  #[ORM\\Column(name: 'title')]\n  private ?int $p;\n}\n", []),
        ("A.java", '@Entity\n@Table(name = "users")\nclass Account {\n  @Transient\n  private String title;\n}\n', []),
        ("A.java", '@Entity(name = "users")\nclass Account {\n  private String title;\n}\n', ["JPA"]),
        ("A.kt", 'object Users : LongIdTable() {\n  val name = varchar("title", 50)\n}\n', ["JPA"]),
        ("A.scala", 'class Accounts(tag: Tag) extends Table[(Int, String)](tag, "users") {\n  def t = column[Option[String]]("title")\n}\n', ["JPA"]),
        ("A.scala", 'class Accounts(tag: Tag) extends Table[(Int, String)](tag, "posts") {\n  def t = column[String]("title")\n}\n', []),
        ("a.rs", "#[derive(Insertable)]\n#[diesel(table_name = crate::schema::users)]\npub struct A {\n    pub title: String,\n}\n", ["Diesel or SeaORM"]),
        ("a.ts", "User.init({\n  title: DataTypes.STRING,\n}, { sequelize, tableName: 'users' })\n", ["JavaScript ORM"]),
        ("a.ts", "export class User extends BaseModel {\n  @column()\n  declare title: string\n}\n", ["JavaScript ORM"]),
        ("a.lkml", "view: accounts {\n  sql_table_name: public.users ;;\n  dimension: t { sql: ${TABLE}.title ;; }\n}\n", ["LookML"]),
        ("a.lkml", "view: accounts {\n  sql_table_name: public.posts ;;\n  dimension: t { sql: ${TABLE}.title ;; }\n}\n", []),
    ],
)  # fmt: skip
def test_models(path: str, text: str, expected: list[str]) -> None:
    assert found({path: text}, TITLES) == expected


CONTEXT = "public class Blog : DbContext {\n  public DbSet<%s> Users { get; set; }\n}\n"
POCO = "namespace A;\npublic class %s\n{\n  public string Title { get; set; }\n}\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"Blog.cs": CONTEXT % "Account", "Account.cs": POCO % "Account"}, ["Entity Framework"]),
        ({"Blog.cs": CONTEXT % "Account", "Account.cs": POCO % "AccountDto"}, []),
        ({"Blog.cs": CONTEXT % "Account", "Account.cs": "public record Account(int Id, string Title);\n"}, ["Entity Framework"]),
        ({"Blog.cs": (CONTEXT % "Post").replace("Users", "Posts"), "Post.cs": POCO % "Post"}, []),
        ({"U.java": '@Entity\n@Table(name = "users")\nclass Account {\n  @Embedded\n  private Texts texts;\n}\n',
          "Texts.java": "@Embeddable\nclass Texts {\n  private String title;\n}\n"}, ["JPA"]),
        ({"U.java": '@Entity\n@Table(name = "users")\nclass Account extends Titled {\n}\n',
          "Titled.java": "@MappedSuperclass\nabstract class Titled {\n  private String title;\n}\n"}, ["JPA"]),
        ({"U.java": '@Entity\n@Table(name = "posts")\nclass Post extends Titled {\n}\n',
          "Titled.java": "@MappedSuperclass\nabstract class Titled {\n  private String title;\n}\n"}, []),
        ({"app/models/user.rb": "class User < ApplicationRecord\n  include Titled\nend\n",
          "app/models/concerns/titled.rb": "module Titled\n  included { validates :title }\nend\n"}, ["model-attribute"]),
        ({"app/models/post.rb": "class Post < ApplicationRecord\n  include Titled\nend\n",
          "app/models/concerns/titled.rb": "module Titled\n  included { validates :title }\nend\n"}, []),
        ({"db.ts": "import 'kysely'\nexport interface Database { users: AccountTable }\n",
          "account.ts": "export interface AccountTable {\n  title: string\n}\n"}, ["JavaScript ORM"]),
        ({"db.ts": "import 'kysely'\nexport interface Database { posts: AccountTable; users: Users }\n",
          "account.ts": "export interface AccountTable {\n  title: string\n}\n"}, []),
    ],
)  # fmt: skip
def test_classes_that_another_file_ties_to_the_table(files: dict[str, str | bytes], expected: list[str]) -> None:
    assert found(files, TITLES) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("schema.prisma", "model DocumentMeta {\n  redirectUrl String?\n}\n", ["Prisma"]),
        ("schema.prisma", "model DocumentData {\n  redirectUrl String?\n}\n", []),
        ("a.ts", "await prisma.documentMeta.update({ data: { redirectUrl: 1 } })\n", ["model-query"]),
        ("a.ts", "await prisma.documentMeta\n  .update({ data: { redirectUrl: 1 } })\n", ["model-query"]),
        ("a.ts", "await prisma.documentData.update({ data: { redirectUrl: 1 } })\n", []),
    ],
)
def test_tables_that_are_called_as_their_models(path: str, text: str, expected: list[str]) -> None:
    assert found({path: text}, names_of([Target("public", "DocumentMeta", "redirectUrl")], [])) == expected


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("a.php", "#[ORM\\ManyToOne] private "),
        ("a.php", "function plan() { "),
        ("a.php", "User $u; $u->title "),
        ("A.java", "@ManyToOne "),
        ("A.java", "interface A extends Repository<User> findByTitle( "),
        ("a.rb", "belongs_to :plan,\n"),
        ("a.rb", "x = %w[title\n"),
        ("a.html.erb", "<%= form_for @user,\n"),
        ("a.html.erb", "f.text_field :title "),
        ("a.cs", "public string Title {\n"),
        ("a.ts", "interface A { Generated "),
    ],
)
def test_time_grows_with_size_only(path: str, unit: str) -> None:
    for names in (TITLES, PLANS):
        started = time.process_time()
        scan({path: unit * (30_000 // len(unit)) + " title plan_id users"}, "other", names)
        assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("column", "path", "text", "expected"),
    [
        ("owner_type", "app/models/user.rb", RUBY_USER.format("belongs_to :owner, polymorphic: true"), 1),
        ("owner_id", "app/models/user.rb", RUBY_USER.format("belongs_to :owner, optional: true, polymorphic: true"), 1),
        ("owner_type", "app/models/user.rb", RUBY_USER.format("belongs_to :owner"), 0),
        ("owner_type", "app/models/job.rb", RUBY_USER.replace("User", "Job").format("belongs_to :owner, polymorphic: true"), 0),
        ("owner_type", "app/models/team.rb", RUBY_PLAN.format("Team", "has_many :users, as: :owner"), 1),
        ("owner_type", "app/models/team.rb", RUBY_PLAN.format("Team", "has_many :jobs, as: :owner"), 0),
        ("password_digest", "app/models/user.rb", RUBY_USER.format("has_secure_password reset_token: false"), 1),
        ("password_digest", "app/models/job.rb", RUBY_USER.replace("User", "Job").format("has_secure_password"), 0),
        ("password_digest", "app/models/user.rb", RUBY_USER.format("has_secure_password :recovery"), 0),
        ("recovery_digest", "app/models/user.rb", RUBY_USER.format("has_secure_password :recovery"), 1),
        ("locked_at", "app/models/user.rb", RUBY_USER.format("devise :recoverable,\n    :lockable"), 1),
        ("locked_at", "app/models/user.rb", RUBY_USER.format("devise :recoverable"), 0),
        ("posts_count", "app/models/post.rb", RUBY_PLAN.format("Post", "belongs_to :user, counter_cache: true"), 1),
        ("posts_count", "app/models/job.rb", RUBY_PLAN.format("Job", "belongs_to :user, counter_cache: true"), 0),
    ],
)  # fmt: skip
def test_lines_that_stand_for_columns(column: str, path: str, text: str, expected: int) -> None:
    assert len(found({path: text}, names_of([Target("public", "users", column)], []))) == expected
